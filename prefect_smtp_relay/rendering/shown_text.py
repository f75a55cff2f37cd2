"""The words of a line as a reader sees them, without markup and targets."""

from __future__ import annotations

from markdown_it.token import Token

_SHOWN = frozenset({"text", "code_inline", "image"})


def shown_text(inline: Token) -> str:
    """Join the words of a parsed line; line ends are spaces."""
    pieces = (
        child.content if child.type in _SHOWN else " " * child.type.endswith("break")
        for child in inline.children or ()
    )
    return " ".join("".join(pieces).split())
