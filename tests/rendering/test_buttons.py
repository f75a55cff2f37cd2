"""Links with the title "btn": buttons in HTML, in Outlook, and in plain text."""

from __future__ import annotations

import re
from html import unescape

import pytest

from prefect_smtp_relay.rendering.markdown import parse, to_html
from prefect_smtp_relay.rendering.plain_text import to_plain_text
from prefect_smtp_relay.rendering.render import render

ONE = '[View incident](https://example.org/42?a=1&b=2 "btn")'


def html(body: str) -> str:
    """Render Markdown as a fragment."""
    return to_html(parse(body)).strip()


def outline(body: str) -> list[str]:
    """The blocks of a fragment: the text of each paragraph, and of each row its buttons."""
    visible = re.sub(r"<!--\[if mso\]>.*?<!\[endif\]-->", "", html(body))
    blocks = re.findall(r'<p>(.*?)</p>|<div class="buttons">(.*?)</div>', visible, re.DOTALL)
    return [
        re.sub(r"<[^>]+>", "", text)
        or " ".join(f"[{b}]" for b in re.findall(r">([^<>]+)</a>", row))
        for text, row in blocks
    ]


def test_a_button_is_a_link_in_a_table() -> None:
    """Its padding is the link's own, so that all of it can be pressed."""
    assert re.search(
        r'<table role="presentation" class="button"[^>]*><tr><td>'
        r'<a href="https://example.org/42\?a=1&amp;b=2">View incident</a></td></tr></table>',
        html(ONE),
    )


def test_outlook_draws_its_own() -> None:
    """It gets a shape with text and address, which other programs take for a comment."""
    found = re.search(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", html(ONE))
    assert found
    assert '<v:roundrect href="https://example.org/42?a=1&amp;b=2"' in found[1]
    assert ">View incident</center>" in found[1]
    assert html(ONE).count("<!--[if !mso]><!-->") == html(ONE).count("<!--<![endif]-->") == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('[a](https://x "btn")', ["[a]"]),
        ('[a](https://x "btn") [b](https://y "btn")', ["[a] [b]"]),
        ('[a](https://x "btn")\n[b](https://y "btn")\\\n[c](https://z "btn")', ["[a] [b] [c]"]),
        ('[a](https://x "btn")\n\n[b](https://y "btn")', ["[a]", "[b]"]),
        ('Before\n[a](https://x "btn")\nafter', ["Before", "[a]", "after"]),
        ('Before [a](https://x "btn"), [b](https://y "btn")', ["Before ", "[a]", ", ", "[b]"]),
        ('> [a](https://x "btn")', ["[a]"]),
        ('- [a](https://x "btn")', ["[a]"]),
        ('[a]\n\n[a]: https://x "btn"', ["[a]"]),
    ],
)
def test_buttons_stand_in_rows(body: str, expected: list[str]) -> None:
    """Buttons next to each other make one row; text around them stays in paragraphs."""
    assert outline(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        '[a](https://x "Btn")',
        '[a](https://x "btn btn")',
        '[a]( "btn")',
        '| [a](https://x "btn") |\n|-|',
        '# [a](https://x "btn")',
        '**[a](https://x "btn")**',
        '[a](javascript:x "btn")',
        '![a](https://x "btn")',
    ],
)
def test_other_links_are_no_buttons(body: str) -> None:
    """Another title, no target, a dangerous one, and places without a paragraph make none."""
    assert "button" not in html(body)


def test_a_link_that_is_no_button_shows_no_such_tooltip() -> None:
    """The title "btn" is never shown; any other title is a tooltip."""
    assert html('| [a](https://x "btn") |\n|-|').count("title") == 0
    assert 'title="more"' in html('[a](https://x "more")')


@pytest.mark.parametrize(
    "text", ['<b>x</b> & "y"', "--> <![endif]--> x", "<!--[if mso]>", "'; DROP", "a\\\nb", "`c`"]
)
def test_text_and_target_are_escaped_in_both_places(text: str) -> None:
    """Nothing in a button's text or address ends the comment, a tag or an attribute."""
    page = html(f'[{text}](<https://x/?"--&gt;&lt;script> "btn")')
    assert "<script" not in page
    assert "<b>" not in page
    assert re.findall(r"<!--.*?-->", page, re.DOTALL)[1:] == [
        "<!--[if !mso]><!-->",
        "<!--<![endif]-->",
    ]
    assert page.count("-->") == 3


def test_emphasis_within_a_button_is_kept() -> None:
    """Its text is Markdown; Outlook's own shape has the plain text."""
    page = html('[**View** `it`](https://x "btn")')
    assert "<strong>View</strong> <code>it</code></a>" in page
    assert ">View `it`</center>" in page


def test_a_button_without_text_shows_its_target() -> None:
    """It would be an empty shape."""
    assert ">https://x.org/</a>" in unescape(html('[](https://x.org/ "btn")'))


def test_many_buttons_end_in_proportion() -> None:
    """A hundred thousand characters of buttons cost what they are long."""
    rendered = render('[a](https://b "btn") ' * 8_000)
    assert rendered.html.count("</v:roundrect>") == 8_000
    assert rendered.text.count("a: https://b") == 8_000


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (ONE, "View incident: https://example.org/42?a=1&b=2"),
        (
            f'{ONE} [Call](tel:+49123 "btn")',
            "View incident: https://example.org/42?a=1&b=2\nCall: tel:+49123",
        ),
        ('[Ann](mailto:ann@x.org "btn")', "Ann: ann@x.org"),
        ('[https://x.org](https://x.org "btn")', "https://x.org"),
        ('a [b](https://x "btn") c', "a\n\nb: https://x\n\nc"),
        ('- a\n- [b](https://x "btn")', "- a\n- b: https://x"),
        ('> [b](https://x "btn")', "> b: https://x"),
    ],
)
def test_plain_text_names_the_target(body: str, expected: str) -> None:
    """A button is a line of its own: what it does, and where it leads."""
    assert to_plain_text(parse(body)) == expected
