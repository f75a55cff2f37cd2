"""Plain text of a table: aligned columns, or one record for each row where it is too wide."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it.tree import SyntaxTreeNode

from prefect_smtp_relay.rendering.plain_inline import display_width, inline_text, wrap

_GAP = "  "
_BEYOND = 6
"""Columns a table may have beyond wrapped text: 72 and 6 are the 78 of RFC 5322, 2.1.1."""
MAX_LABEL = 40


def table_lines(table: SyntaxTreeNode, width: int) -> list[str]:
    """Write a table.

    Args:
        table: a node of the type ``table``.
        width: columns of wrapped text at this place.
    """
    cells = [
        [inline_text(cell) for cell in row.children]
        for part in table.children
        for row in part.children
    ]
    if not cells:
        return []
    rows = [[" ".join(text.split()) for text in row] for row in cells]
    has_heading = table.children[0].type == "thead"
    widths = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    if sum(widths) + len(_GAP) * (len(widths) - 1) > width + _BEYOND:
        return list(_records(rows[0], rows[1:], width) if has_heading else _pairs(cells, width))
    alignments = [
        str(cell.attrs.get("style", "")) for cell in table.children[0].children[0].children
    ]
    lines = [_aligned(row, widths, alignments) for row in rows]
    rule = [_GAP.join("-" * width for width in widths)] if has_heading else []
    return [lines[0], *rule, *lines[1:]]


def _aligned(row: list[str], widths: list[int], alignments: list[str]) -> str:
    return _GAP.join(
        _pad(text, width - display_width(text), alignment)
        for text, width, alignment in zip(row, widths, alignments, strict=True)
    )


def _pad(text: str, spaces: int, alignment: str) -> str:
    left = {"text-align:right": spaces, "text-align:center": spaces // 2}.get(alignment, 0)
    return " " * left + text + " " * (spaces - left)


def _records(header: list[str], rows: list[list[str]], width: int) -> Iterator[str]:
    if not rows:
        yield from wrap(" | ".join(header), width)
    labels = [_label(text) for text in header]
    for number, row in enumerate(rows):
        if number:
            yield ""
        for label, text in zip(labels, row, strict=True):
            if text:
                yield from wrap(f"{label}{text}", width, indent=_GAP)


def _pairs(rows: list[list[str]], width: int) -> Iterator[str]:
    """Each label with its value, where the heading is empty; line ends stay."""
    for label, *values in rows:
        first, *others = (_label(" ".join(label.split())) + _GAP.join(values)).split("\n")
        yield from wrap(first, width, indent=_GAP)
        for other in others:
            yield from (_GAP + line for line in wrap(other, width - len(_GAP)))


def _label(text: str) -> str:
    return f"{short_label(text)}: " if text else ""


def short_label(text: str) -> str:
    """Cut a long label: it is in every record, and the whole must stay in proportion."""
    is_long = len(text) > MAX_LABEL
    return text[: MAX_LABEL - 1].rstrip() + "\u2026" if is_long else text
