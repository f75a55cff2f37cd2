import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.rendering import render

SIZE = 100_000
ELEMENTS = {
    *("html", "head", "meta", "style", "body", "div", "h1", "h2", "h3", "h4", "h5", "h6", "p"),
    *("br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "img"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    "html": {"lang"},
    "meta": {"charset", "name", "content"},
    "body": {"style"},
    "div": {"style"},
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "code": {"class"},
    "th": {"style"},
    "td": {"style"},
}
PIECES = [
    *("#", "|-", ">", "*", "_", "`", "```", "~~", "[", "](", ")", "![", "<a@b.c>", "<https://x>"),
    *("<b>", "&lt;", "&#13;", "&#x1b;", "\\", "\n", "\n\n", "|", "|-|\n", "1.", "---", "===", " "),
    *("javascript:", "data:", "https:", '"', "'", "\t", "\x00", "\x1b", "\u2028", "\u202e", "word"),
]
MARKDOWN = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=60).map("".join)


class _Checker(HTMLParser):
    """Fails on anything the renderer should never write."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ELEMENTS
        assert {name for name, _ in attrs} <= ATTRIBUTES.get(tag, set())
        for name, value in attrs:
            if name in {"href", "src"}:
                scheme = re.match(r"\s*([^/?#:]*):", value or "")
                assert not scheme or scheme[1].lower() in {"http", "https", "mailto", "tel", "cid"}

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)


def check(html: str) -> None:
    """Parse a page as a reader's program would."""
    checker = _Checker()
    checker.feed(html)
    checker.close()


@given(MARKDOWN)
def test_any_body_becomes_safe_html_and_clean_text(body: str) -> None:
    """No body raises, smuggles an element or attribute, or puts a control character into mail."""
    rendered = render(body)
    check(rendered.html)
    for part in (rendered.html, rendered.text):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", part)
    assert all(line == line.rstrip() for line in rendered.text.split("\n"))


@given(
    st.text(st.characters(categories=["L", "N"]), min_size=1),
    st.sampled_from(["> ", "- ", "# ", ""]),
)
def test_no_word_is_lost(word: str, marker: str) -> None:
    """A word that is no markup stands in both parts, whatever it stands in."""
    rendered = render(f"{marker}{word}\n\n| {word} |\n|-|\n\n```\n{word}\n```\n\n**{word}**")
    assert rendered.text.count(word) >= 4
    assert rendered.html.count(word) >= 4


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(piece * (SIZE // len(piece)), id=repr(piece)[1:-1])
        for piece in ("[", "![", ">", "- ", "*_", "<", "`", "|", "&", "[a](", "> a\n", "~~a", "\\")
    ]
    + [
        pytest.param(("![" * 25 + "a" + "](b)" * 25 + "\n\n") * 200, id="nested images"),
        pytest.param("".join(" " * 2 * n + "- x\n" for n in range(300)), id="nested lists"),
        pytest.param("1. " * (SIZE // 3) + "x", id="nested numbers"),
        pytest.param("".join(">" * n + "a\n" for n in range(440)), id="nested quotes"),
        pytest.param("|h" * 2000 + "|\n" + "|-" * 2000 + "|\n" + "|x\n" * 9000, id="wide table"),
        pytest.param(f"|{'h' * 40_000}|\n|-|\n" + "|x|\n" * 12_000, id="repeated label"),
        pytest.param(f"|h|\n|-|\n|{'x' * 40_000}|\n" + "|x|\n" * 12_000, id="wide column"),
    ],
)
def test_hostile_bodies_stay_in_proportion(body: str) -> None:
    """A hundred thousand characters of nesting end without RecursionError, and do not explode."""
    rendered = render(body)
    assert len(rendered.text) < 12 * SIZE
    assert len(rendered.html) < 24 * SIZE
    check(rendered.html[:SIZE])
