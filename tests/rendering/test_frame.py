"""Logo and footer around the body."""

from __future__ import annotations

import pytest

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.rendering import Frame, render


def test_a_logo_stands_above_the_body() -> None:
    """The picture's address is escaped, and comes before the body."""
    page = render("Body", frame=Frame(logo_url="https://example.org/l.png?a=1&b=2")).html
    assert page.index('src="https://example.org/l.png?a=1&amp;b=2"') < page.index("Body")


def test_a_footer_stands_below_the_body_in_both_parts() -> None:
    """The plain part sets it off by the signature's separator."""
    rendered = render("Body", frame=Frame(footer="Sent by [it](https://example.org)"))
    assert rendered.text == "Body\n\n-- \nSent by it (https://example.org)"
    assert rendered.html.index("Body") < rendered.html.index("Sent by")


def test_without_a_frame_nothing_is_added() -> None:
    """No logo and no footer leave the page as the body makes it."""
    rendered = render("Body")
    assert "<img" not in rendered.html
    assert "<hr>" not in rendered.html
    assert "-- " not in rendered.text


@pytest.mark.parametrize("url", ["logo.png", "javascript:x", "https://a b", 'https://x" onload="'])
def test_a_logo_is_a_web_address(url: str) -> None:
    """What is no http(s) address is refused, naming the argument."""
    with pytest.raises(MessageError, match="custom_logo_url"):
        Frame(logo_url=url)
