"""How wide the columns of a table are, and what each is called where a row becomes a record.

Mail programs on phones do not scroll sideways, so a table is as wide as its place, and breaks words
if it must. Left to themselves programs would break short words to make room for long texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from prefect_smtp_relay.rendering.plain_inline import display_width
from prefect_smtp_relay.rendering.plain_table import short_label
from prefect_smtp_relay.rendering.shown_text import shown_text

MAX_COLUMNS = 3
"""Of a table that stays one on a phone."""
_PHONE, _SCREEN = 32, 56
"""Characters of a wide font (DejaVu Sans) that fit into a row at 320 pixels, and at 480, with the
space between columns."""
_LONGEST_WORD, _LONGEST_TEXT = 12, 60
_GAP = 2
_PIXELS, _LABEL_GAP, _LONGEST_LABEL = 8, 24, 160
"""Of a label: a character, the space after it, and the most."""


@dataclass
class _Table:
    opening: Token
    rows: list[list[tuple[Token, str]]] = field(default_factory=list)

    @property
    def is_of_labels(self) -> bool:
        """Whether each row is a label and its value."""
        return len(self.rows[0]) == 2 and self.rows[0][0][0].attrs.get("scope") == "row"


def lay_out_tables(tokens: Sequence[Token]) -> None:
    """Give tables the widths of their columns, and cells of wide ones the name of their column.

    Args:
        tokens: of a whole document; ``width`` is set in the first row, and ``meta["label"]`` in the
            cells of a table with more than `MAX_COLUMNS`.
    """
    table: _Table | None = None
    for at, token in enumerate(tokens):
        if token.type == "table_open":
            table = _Table(token)
        elif token.type == "tr_open" and table:
            table.rows.append([])
        elif token.type in {"th_open", "td_open"} and table:
            table.rows[-1].append((token, shown_text(tokens[at + 1])))
        elif token.type == "table_close" and table and table.rows:
            _lay_out(table)


def _lay_out(table: _Table) -> None:
    head, *rows = table.rows
    if table.is_of_labels:
        longest = max(display_width(row[0][1]) for row in table.rows)
        head[0][0].attrSet("width", min(_PIXELS * longest + _LABEL_GAP, _LONGEST_LABEL))
        return
    for (cell, _), width in zip(head, _widths(table.rows), strict=True):
        cell.attrSet("width", f"{width}%")
    if len(head) > MAX_COLUMNS and head[0][0].attrs.get("scope") != "row":
        table.opening.meta["records"] = True
        for row in rows:
            for (cell, _), (_, label) in zip(row, head, strict=True):
                cell.meta["label"] = short_label(label)


def _widths(rows: Sequence[Sequence[tuple[Token, str]]]) -> list[int]:
    """Percents: room for each column's longest word, and the rest by what each says."""
    columns = [[text for _, text in column] for column in zip(*rows, strict=True)]
    words = [max(map(_longest_word, column)) + _GAP for column in columns]
    texts = [min(max(map(display_width, column)), _LONGEST_TEXT) + _GAP for column in columns]
    spare = max((_PHONE if len(columns) <= MAX_COLUMNS else _SCREEN) - sum(words), 0)
    wishes = [max(text - word, 0) for text, word in zip(texts, words, strict=True)]
    shares = [
        word + spare * wish / (sum(wishes) or 1) for word, wish in zip(words, wishes, strict=True)
    ]
    return [max(round(100 * share / sum(shares)), 1) for share in shares]


def _longest_word(text: str) -> int:
    return min(max(map(display_width, text.split()), default=0), _LONGEST_WORD)
