"""Tables with an empty heading: labels and their values, one pair a row.

Markdown has no table without a heading, so that is how one is written. The empty heading is left
out, and the first cell of each row becomes the heading of that row.
"""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it.token import Token


def label_rows(tokens: Sequence[Token]) -> list[Token]:
    """Turn tables whose heading is empty into tables of labels.

    Args:
        tokens: of a whole document; those of such tables are changed.
    """
    kept: list[Token] = []
    is_labelled, heading_at = False, 0
    for position, token in enumerate(tokens):
        kept.append(token)
        if token.type == "thead_open":
            heading_at = len(kept) - 1
        elif token.type == "thead_close":
            is_labelled = not any(cell.content.strip() for cell in kept[heading_at:])
            if is_labelled:
                del kept[heading_at:]
        elif token.type == "tr_open" and is_labelled:
            _make_label(tokens[position + 1], tokens[position + 3])
        elif token.type == "table_close":
            is_labelled = False
    return kept


def _make_label(opening: Token, closing: Token) -> None:
    opening.attrSet("scope", "row")
    for token, token_type in ((opening, "th_open"), (closing, "th_close")):
        token.type, token.tag = token_type, "th"
