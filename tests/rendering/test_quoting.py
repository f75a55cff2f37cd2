"""Text from outside stays text."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay import escape_markdown
from prefect_smtp_relay.rendering.markdown import CONTROL_CHARACTERS, parse, to_html
from prefect_smtp_relay.rendering.quoting import code_block, quote_text
from prefect_smtp_relay.rendering.render import render

_TURNING = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"
HOSTILE = [
    "[pay here](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "<https://evil.example>",
    "<script>alert(1)</script>",
    "# heading\n\n- list",
    "1. one\n2. two",
    "a | b\n--|--\n1 | 2",
    "`code` *em* **strong** ~~gone~~",
    "&lt;b&gt; &#91;",
    "title\n===",
    "    indented",
    "ends with a backslash \\",
    "[ref]: https://evil.example",
]


def _shown(fragment: str) -> str:
    return unescape(re.sub(r"</?p>", "", fragment)).strip()


def _is_one_paragraph(fragment: str) -> bool:
    return set(re.findall(r"<[^>]+>", fragment)) <= {"<p>", "</p>"}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(text: str) -> None:
    """No link, image, list, table, heading or tag comes out, and every character does."""
    fragment = to_html(parse(escape_markdown(text)))
    assert _is_one_paragraph(fragment)
    assert _shown(fragment) == " ".join(text.split())


def test_text_turns_only_its_own_direction() -> None:
    """What stands behind it in the body is written as it was."""
    assert escape_markdown("\u202egnp") == "\u202egnp\u202c"


@given(st.text(st.characters(codec="utf-8", exclude_characters=_TURNING)))
def test_any_text_is_shown_as_it_is(text: str) -> None:
    """For every text, what is shown is the text with its blanks joined."""
    fragment = to_html(parse(escape_markdown(text)))
    assert _is_one_paragraph(fragment)
    expected = CONTROL_CHARACTERS.sub("", " ".join(text.replace("\0", "\ufffd").split()))
    assert _shown(fragment).split() == expected.split()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_in_its_table_cell(text: str) -> None:
    """A cell of a table stays one cell."""
    table = f"| a | b |\n|---|---|\n| {escape_markdown(text)} | end |"
    fragment = to_html(parse(table))
    assert fragment.count("<td>") == 2
    assert "<td>end</td>" in fragment
    assert "<a " not in fragment


@pytest.mark.parametrize("text", ["plain", "```\n[x](https://evil.example)\n```", "`" * 9, "~~~"])
def test_a_code_block_cannot_be_left(text: str) -> None:
    """However many backticks a text holds, it stays code."""
    fragment = to_html(parse(f"{code_block(text)}\n\nbehind"))
    assert fragment.count("<pre>") == 1
    assert fragment.endswith("<p>behind</p>\n")
    assert "<a " not in fragment


def test_half_characters_are_replaced() -> None:
    """What no mail can carry does not stop the mail."""
    body = escape_markdown("a\ud800b") + code_block("c\udfffd")
    assert render(body).text.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a *b* _c_ [d](e) <f> &amp; \\g", "a *b* _c_ [d](e) &lt;f&gt; &amp;amp; \\g"),
        (
            "# one\n- two\n  3. three\n> four",
            "# one<br>\n- two<br>\n&nbsp;&nbsp;3. three<br>\n&gt; four",
        ),
        ("`x[0]` and ``y`` and `", "x[0]</code> and ``y`` and `"),
        ("see http://h.example/a_b?c=d&e.", '<a href="http://h.example/a_b?c=d&amp;e"'),
        ("(https://h.example/x_(y))", ">https://h.example/x_(y)</a>)"),
    ],
)
def test_a_plain_text_is_shown_line_by_line(text: str, shown: str) -> None:
    """Lines and spaces are kept, code is code, addresses are links, and nothing else is markup."""
    assert shown in render(quote_text(text)).html
