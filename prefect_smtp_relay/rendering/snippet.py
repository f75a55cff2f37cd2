"""What inboxes show after the subject, where the author does not say it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from prefect_smtp_relay.rendering.markdown import CONTROL_CHARACTERS
from prefect_smtp_relay.rendering.shown_text import shown_text

MAX_LENGTH = 150
"""About as many characters as inboxes show of a mail."""


def first_words(tokens: Sequence[Token], subject: str) -> str:
    """Find the first paragraph, or block of code, that does not repeat the subject.

    Args:
        tokens: of the body.
        subject: what inboxes show before it.

    Returns:
        One line; empty where there are only headings and tables.
    """
    for text in _paragraphs(tokens):
        line = " ".join(CONTROL_CHARACTERS.sub(" ", text).split())
        if line and line.casefold() != subject.strip().casefold():
            return line if len(line) <= MAX_LENGTH else f"{line[: MAX_LENGTH - 1].rstrip()}\u2026"
    return ""


def _paragraphs(tokens: Sequence[Token]) -> Iterator[str]:
    for at, token in enumerate(tokens):
        if token.type == "paragraph_open":
            yield shown_text(tokens[at + 1])
        elif token.type in {"fence", "code_block"}:
            yield token.content
