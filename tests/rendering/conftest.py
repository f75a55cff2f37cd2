"""What the tests of the look share: a body with everything in it, and a browser to see it in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from prefect_smtp_relay.rendering.frame import Frame
from prefect_smtp_relay.rendering.labels import Label
from prefect_smtp_relay.rendering.render import render
from tests.chromium import find_chromium, running_chromium

Show = Callable[..., Page]

WIDE_URL = "https://grafana.example.org/d/" + "x" * 200
EVERYTHING = f"""\
# Checkout answers with errors {"x" * 80}

One in `five` [payments](https://example.org "more") fails: {WIDE_URL}, ~~not~~ **all**.

## Hosts

| Host | State | Errors | Message | Since | Region | Owner |
|:-----|:-----:|-------:|---------|-------|--------|-------|
| {"h" * 90} | [down](https://example.org) | 12000 | {"words " * 20} | 03:07 | eu | pay |

| | |
|-|-|
| Commander | Zoë {"z" * 90} |

### Log

```
ERROR {"Could not reach the payment service. " * 8}
```

1. First
   - nested {"y" * 90}

> Rolling back.
>
> > Nested `code` and [link](https://example.org)

---

![The latency of the night {"z" * 80}](cid:graph)

[View incident](https://example.org/42 "btn") [Acknowledge](https://example.org/ack "btn")
"""


@pytest.fixture(scope="session")
def everything() -> str:
    """Give a mail of everything that Markdown knows, and too wide for any screen."""
    frame = Frame(
        logo_url="https://example.org/logo.png",
        name="Acme",
        preheader="SEV1, investigating",
        footer=f"Sent by [a flow](https://example.org), run {'r' * 90}.",
        title="INC-42",
        tone="critical",
        labels=(Label("SEV1", "critical"), *map(Label, ("prod", "w" * 90))),
    )
    return render(EVERYTHING, frame=frame).html


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run Chromium for one file: beside its event loop no flow can run."""
    with running_chromium(find_chromium()) as browser:
        yield browser


@pytest.fixture
def show(browser: Browser) -> Iterator[Show]:
    """Open mails as a reader's program would that loads no pictures."""
    pages: list[Page] = []

    def show(html: str, width: int = 640, scheme: Literal["light", "dark"] = "light") -> Page:
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        pages.append(page)
        page.route("**/*", lambda route: route.abort())
        page.set_content(html)
        return page

    yield show
    for page in pages:
        page.close()
