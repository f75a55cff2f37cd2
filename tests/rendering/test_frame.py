"""Logo and footer around the body."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.rendering.frame import Frame
from prefect_smtp_relay.rendering.render import render

FRAME = Frame(name='A & "B"')


def test_a_logo_stands_above_the_body() -> None:
    """The picture's address is escaped, and comes before the body."""
    page = render("Body", frame=Frame(logo_url="https://example.org/l.png?a=1&b=2")).html
    assert page.index('src="https://example.org/l.png?a=1&amp;b=2"') < page.rindex("Body")


def test_a_footer_stands_below_the_body_in_both_parts() -> None:
    """The plain part sets it off by the signature's separator."""
    rendered = render("Body", frame=Frame(footer="Sent by [it](https://example.org)"))
    assert rendered.text == "Body\n\n-- \nSent by it (https://example.org)"
    assert rendered.html.index("Body") < rendered.html.index("Sent by")


def test_without_a_frame_nothing_is_added() -> None:
    """No logo, name and footer leave the card alone."""
    rendered = render("Body")
    for part in ("<img", 'class="header"', 'class="footer"'):
        assert part not in rendered.html
    assert rendered.text == "Body"


def test_a_logo_that_is_not_shown_reads_as_the_name() -> None:
    """The name is the picture's alternative text, and stands there alone without a picture."""
    with_logo = render("Body", frame=Frame("https://example.org/l.png", 'A & "B"')).html
    assert 'alt="A &amp; &quot;B&quot;"' in with_logo
    assert 'alt=""' in render("Body", frame=Frame("https://example.org/l.png")).html
    assert re.search(r'class="header"[^>]*>A &amp; "B"</td>', render("b", frame=FRAME).html)


def test_a_preheader_stands_first_and_hides_the_body() -> None:
    """Inboxes show it, and blanks of no width where the body's first words would stand."""
    page = render("Body", frame=Frame(preheader="<5 min>")).html
    found = re.search(r'<div class="preheader"[^>]*>&lt;5 min&gt;(.*?)</div>', page)
    assert found
    assert unescape(found[1]) == "\u034f\u200c\u00a0" * 143
    assert page.index("preheader") < page.rindex("Body")
    assert render("Body", frame=Frame(preheader="x" * 200)).html.count("\u200c") == 0


def test_the_title_is_the_subject() -> None:
    """What stands in the title is text, and half characters in it stop nothing."""
    assert (
        "<title>a &lt;b&gt; \ufffd</title>" in render("b", frame=Frame(title="a <b> \ud800")).html
    )


@pytest.mark.parametrize("preheader", ["two\nlines", "\x00", "a\u2028b", "\ud800", 5, None])
def test_a_preheader_is_one_line_of_text(preheader: Any) -> None:
    """Line ends, control characters and other types are refused, naming the argument."""
    with pytest.raises(MessageError, match=r"^preheader: "):
        Frame(preheader=preheader)


@pytest.mark.parametrize(
    "url",
    ["logo.png", "javascript:x", "https://a b", 'https://x" onload="', "https://\ud800", 5, None],
)
def test_a_logo_is_a_web_address(url: Any) -> None:
    """What is no http(s) address is refused, naming the argument."""
    with pytest.raises(MessageError, match=r"^custom_logo_url: "):
        Frame(logo_url=url)


@pytest.mark.parametrize("footer", ["a\ud800", 5])
def test_a_footer_is_text(footer: Any) -> None:
    """What no mail can carry is refused, naming the field."""
    with pytest.raises(MessageError, match=r"^footer: "):
        Frame(footer=footer)
