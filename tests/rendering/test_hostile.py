import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.rendering.frame import Frame
from prefect_smtp_relay.rendering.render import render

SIZE = 100_000
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "div", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("img", "table", "thead", "tbody", "tr", "th", "td", "span"),
}
FOR_OUTLOOK = {
    *("xml", "o:officedocumentsettings", "o:allowpng", "o:pixelsperinch", "style"),
    *("v:roundrect", "w:anchorlock", "center", "table", "tr", "td"),
}
ATTRIBUTES = {
    "html": {"lang", "dir", "xmlns:v", "xmlns:o", "xmlns:w"},
    "meta": {"charset", "name", "content"},
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "table": {"role", "width", "align", "cellpadding", "cellspacing", "border"},
    "th": {"scope", "width"},
    "td": {"lang", "height"},
    "v:roundrect": {"href", "arcsize", "stroked", "fillcolor"},
}
EVERYWHERE = {"class", "style", "dir"}
NOT_FOR_OUTLOOK = {"[if !mso]><!", "<![endif]"}
PIECES = [
    *("#", "|-", ">", "*", "_", "`", "```", "~~", "[", "](", ")", "![", "<a@b.c>", "<https://x>"),
    *("<b>", "&lt;", "&#13;", "&#x1b;", "\\", "\n", "\n\n", "|", "|-|\n", "1.", "---", "===", " "),
    *('[a](https://x "btn")', ' "btn")', "-->", "<![endif]-->", "<!--[if mso]>", "--"),
    *("javascript:", "data:", "https:", '"', "'", "\t", "\x00", "\x1b", "\u2028", "\u202e", "word"),
]
MARKDOWN = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=60).map("".join)


class _Checker(HTMLParser):
    """Fails on anything the renderer should never write."""

    def __init__(self, elements: set[str]) -> None:
        super().__init__()
        self._elements = elements

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self._elements
        assert {name for name, _ in attrs} <= ATTRIBUTES.get(tag, set()) | EVERYWHERE
        for name, value in attrs:
            if name in {"href", "src"}:
                scheme = re.match(r"\s*([^/?#:]*):", value or "")
                assert not scheme or scheme[1].lower() in {"http", "https", "mailto", "tel", "cid"}

    def handle_comment(self, data: str) -> None:
        if data in NOT_FOR_OUTLOOK:
            return
        found = re.fullmatch(r"\[if mso\]>(.*)<!\[endif\]", data, re.DOTALL)
        assert found, data
        check(found[1], FOR_OUTLOOK)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)


def check(html: str, elements: set[str] = ELEMENTS) -> None:
    """Parse a page as a reader's program would."""
    checker = _Checker(elements)
    checker.feed(html)
    checker.close()


@given(MARKDOWN)
def test_any_body_becomes_safe_html_and_clean_text(body: str) -> None:
    """No body raises, smuggles an element or attribute, or puts a control character into mail."""
    rendered = render(f"{body}\n\nend")
    check(rendered.html)
    for part in (rendered.html, rendered.text):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", part)
    for line in rendered.text.split("\n"):
        assert line.removesuffix(" ").rstrip() == line.removesuffix(" ")


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
        for piece in (
            '[a](b "btn")',
            "[",
            "![",
            ">",
            "- ",
            "*_",
            "<",
            "`",
            "|",
            "&",
            "[a](",
            "> a\n",
            "~~a",
            "\\",
        )
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
    rendered = render(body, frame=Frame(footer="Sent by a flow."))
    assert len(rendered.text) < 12 * SIZE
    assert len(rendered.html) < 40 * SIZE
    check(rendered.html[: rendered.html.rfind("\n", 0, SIZE)])
