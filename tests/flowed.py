"""A reader of ``format=flowed``, written from RFC 3676, section 4, alone."""

from __future__ import annotations

from typing import NamedTuple

SEPARATOR = "-- "
"""Of a signature: never flowed, though it ends in a blank (section 4.3)."""


class Paragraph(NamedTuple):
    """What a reader's program wraps anew, or one fixed line."""

    quotes: int
    text: str


def read_flowed(text: str) -> list[Paragraph]:
    """Join the lines of a text as it came over the wire, with LF line ends."""
    paragraphs: list[Paragraph] = []
    is_open = False
    for line in text.split("\n"):
        content = line.lstrip(">")
        quotes = len(line) - len(content)
        content = content.removeprefix(" ")
        flows_on = content.endswith(" ") and content != SEPARATOR
        if is_open and paragraphs[-1].quotes == quotes and content != SEPARATOR:
            paragraphs[-1] = Paragraph(quotes, paragraphs[-1].text + content)
        else:
            paragraphs.append(Paragraph(quotes, content))
        is_open = flows_on
    return paragraphs
