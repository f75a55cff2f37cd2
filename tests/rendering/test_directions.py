"""Texts that are written from right to left."""

from __future__ import annotations

import re

import pytest

from prefect_smtp_relay.rendering.directions import direction_of_language
from prefect_smtp_relay.rendering.frame import Frame
from prefect_smtp_relay.rendering.labels import Label
from prefect_smtp_relay.rendering.render import render

BODY = """\
# שלום

Hello שלום

123 שלום `db-1`

> שלום

- שלום
- list

| שירות | State |
|-|-|
| checkout | נפל |

```
שלום
```

[שלום](https://x.org "btn")
"""


def directions(html: str) -> list[tuple[str, str]]:
    """Each element of the card that says its direction."""
    card = html[html.index('class="card') : html.index('class="footer"')]
    return re.findall(r'<(\w+)[^>]*? dir="(\w+)"', card)


@pytest.mark.parametrize("language", ["en", "he"])
def test_each_block_has_the_direction_of_its_first_letter(language: str) -> None:
    """Headings, paragraphs, quotes, lists, cells and buttons say theirs; code is left to right."""
    html = render(BODY, frame=Frame(language=language, footer="English.")).html
    assert directions(html) == [
        *[("h1", "rtl"), ("p", "ltr"), ("p", "rtl"), ("code", "ltr")],
        *[("blockquote", "rtl"), ("p", "rtl"), ("ul", "rtl"), ("li", "rtl"), ("li", "ltr")],
        *[("table", "rtl"), ("th", "rtl"), ("th", "ltr"), ("td", "ltr"), ("td", "rtl")],
        *[("pre", "ltr"), ("code", "ltr"), ("div", "rtl")],
    ]


def test_sides_follow_the_direction_in_the_elements_themselves() -> None:
    """Bars and indents are where the text begins, in programs that know no logical sides."""
    html = render(BODY, frame=Frame(language="he")).html
    assert re.search(r'<blockquote dir="rtl" style="[^"]*border-right: 3px', html)
    assert re.search(r'<ul dir="rtl" style="[^"]*padding: 0 24px 0 0', html)
    assert re.search(r'<th [^>]*dir="rtl"[^>]*style="[^"]*text-align: right', html)


def test_a_mail_from_left_to_right_says_it_once() -> None:
    """Nothing but the page has a direction where no letter needs one."""
    html = render("# Hello\n\n- `a`\n\n| b |\n|-|", frame=Frame(footer="F")).html
    assert directions(html) == []
    assert '<html lang="en" dir="ltr"' in html


def test_labels_have_a_direction_of_their_own() -> None:
    """They are in the order of their language."""
    html = render("Hello", frame=Frame(labels=(Label("קריטי"),))).html
    assert re.search(r'<p class="badges" dir="rtl"', html)


def test_labels_begin_where_the_page_begins() -> None:
    """Above a heading on the right they are on the right, though one is SEV1."""
    html = render("תקלה", frame=Frame(language="he", labels=(Label("SEV1"),))).html
    assert re.search(r'<p class="badges"(?! dir)', html)


@pytest.mark.parametrize(
    ("tag", "direction"),
    [
        *[("en", "ltr"), ("he", "rtl"), ("ar-EG", "rtl"), ("fa-IR", "rtl"), ("de-DE", "ltr")],
        *[("az-Arab", "rtl"), ("ku-Arab-IQ", "rtl"), ("pa-Guru", "ltr"), ("ar-Latn", "ltr")],
    ],
)
def test_a_page_has_the_direction_of_its_language(tag: str, direction: str) -> None:
    """A script that the tag names decides, else the language does."""
    assert direction_of_language(tag) == direction
    html = render("B", frame=Frame(language=tag)).html
    assert f'<html lang="{tag}" dir="{direction}"' in html
