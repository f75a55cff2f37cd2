"""Texts that name fields of a block, for people who know its form and no code."""

from __future__ import annotations

import re

from prefect_smtp_relay.rendering.quoting import escape_markdown
from prefect_smtp_relay.transports.redaction import visible

_FIELD = re.compile(r"\*([\w: -]+)\* \(`\w+`\)")


def quote_with_titles(text: str) -> str:
    """Write a text as Markdown that shows it as it is, but fields by the titles of the form."""
    pieces = _FIELD.split(visible(text))
    pieces[::2] = [_quoted_piece(piece) for piece in pieces[::2]]
    pieces[1::2] = [f"*{title}*" for title in pieces[1::2]]
    return "".join(pieces)


def _quoted_piece(piece: str) -> str:
    """Escape a piece, and keep the spaces at its ends."""
    left = " " * (piece != piece.lstrip())
    right = " " * (piece != piece.rstrip() and bool(piece.strip()))
    return left + escape_markdown(piece) + right
