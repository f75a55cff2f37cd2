"""The plain part in a program that joins its lines, and in one that does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.mail.mime.flowed import stuff
from prefect_smtp_relay.rendering.frame import Frame
from prefect_smtp_relay.rendering.plain_text import LINE_WIDTH
from prefect_smtp_relay.rendering.render import render
from tests.flowed import SEPARATOR, Paragraph, read_flowed

WORDS = "One in five payments fails since the last deployment of the checkout " * 4
WORD = st.one_of(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=80),
    st.sampled_from([*("From", "--", ">", ">>", "-- ", "|", "x" * 200, "\u00a0", "\u3000x")]),
)
PARAGRAPH = st.lists(WORD, min_size=1, max_size=60).map(" ".join)


def escaped(text: str) -> str:
    """Write a text as Markdown that shows it as it is."""
    return "".join(f"\\{c}" if c in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" else c for c in text)


def shown(body: str, footer: str = "") -> list[Paragraph]:
    """What a program that joins lines shows of the plain part."""
    return read_flowed(stuff(render(body, frame=Frame(footer=footer)).text))


@pytest.mark.parametrize(("marker", "quotes"), [("", 0), ("> ", 1), ("> > ", 2)])
def test_a_paragraph_is_whole(marker: str, quotes: int) -> None:
    """Its lines are joined to one, in the text and in quotes."""
    assert shown(marker + WORDS) == [Paragraph(quotes, WORDS.strip())]


def test_lines_of_different_depth_are_not_joined() -> None:
    """A quote ends where its level does."""
    assert shown(f"> {WORDS}\n>\n> > {WORDS}\n\n{WORDS}") == [
        Paragraph(1, WORDS.strip()),
        Paragraph(1, ""),
        Paragraph(2, WORDS.strip()),
        Paragraph(0, ""),
        Paragraph(0, WORDS.strip()),
    ]


@given(PARAGRAPH)
def test_any_paragraph_is_whole(text: str) -> None:
    """Whatever words it has, all come in their order, and none becomes a quote or a signature."""
    paragraphs = shown(escaped(text))
    assert " ".join(p.text for p in paragraphs).split() == text.split()
    assert not any(paragraph.quotes for paragraph in paragraphs)
    assert SEPARATOR not in [paragraph.text for paragraph in paragraphs]


def test_code_tables_lists_and_headings_keep_their_lines() -> None:
    """Their lines are fixed, and a program that joins lines shows them as they are."""
    body = (
        f"# {WORDS}\n\n- {WORDS}\n  - {WORDS}\n\n| a  | b |\n|---|---|\n| 1 | {'2' * 20} |\n\n"
        f"```\n$ run  \n   {WORDS}\n> x\nFrom y\n```"
    )
    text = render(body).text
    assert [paragraph.text for paragraph in read_flowed(stuff(text))] == text.split("\n")
    assert not any(line.endswith(" ") for line in text.split("\n"))


def test_what_the_author_ended_stays_ended() -> None:
    """A hard line break is one in both programs."""
    assert shown("Monday\\\nTuesday") == [Paragraph(0, "Monday"), Paragraph(0, "Tuesday")]


def test_the_separator_of_the_signature_stays() -> None:
    """The footer is set off by "-- " as it stands, and flows on by itself."""
    paragraphs = shown(WORDS, footer=WORDS)
    assert [paragraph.text for paragraph in paragraphs] == [
        WORDS.strip(),
        "",
        SEPARATOR,
        WORDS.strip(),
    ]


def test_a_program_that_joins_nothing_shows_short_lines() -> None:
    """No line is longer than 72 columns and the blank at its end."""
    lines = render(f"{WORDS}\n\n> {WORDS}\n\n- {WORDS}", frame=Frame(footer=WORDS)).text.split("\n")
    assert max(map(len, lines)) <= LINE_WIDTH + 1


def test_text_of_the_caller_does_not_flow() -> None:
    """It stands as it is, blanks at line ends included."""
    assert not render("b", text="two \nlines").flowed
    assert render("b", html="<p>h</p>").flowed
