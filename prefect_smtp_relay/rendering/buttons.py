"""Buttons: links with the title "btn", in rows of their own.

A mail's button is a table with a link in it, which no paragraph may contain. So a paragraph is
parted where a button is, and buttons next to each other make one row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import dropwhile

from markdown_it.token import Token

BUTTON_TITLE = "btn"
BUTTON, ROW = "button", "button_row"


def part_buttons(tokens: Sequence[Token]) -> list[Token]:
    """Make a row of each run of buttons that is in a paragraph.

    A link with that title elsewhere, as in a table or within emphasis, stays a link.

    Args:
        tokens: of a whole document.

    Returns:
        The same, with ``button_row`` tokens beside the paragraphs. Their children are ``button``
        tokens, which have the attribute ``href``, and the tokens of the text as children.
    """
    parted: list[Token] = []
    position = 0
    while position < len(tokens):
        if tokens[position].type == "paragraph_open" and _has_button(tokens[position + 1]):
            parted += _part(*tokens[position : position + 3])
            position += 3
        else:
            parted.append(tokens[position])
            position += 1
    return parted


def _part(opening: Token, inline: Token, closing: Token) -> list[Token]:
    parted: list[Token] = []
    text: list[Token] = []
    row: list[Token] = []
    for piece in _pieces(inline.children or []):
        if piece.type != BUTTON:
            text.append(piece)
            continue
        if paragraph := _paragraph(opening, text, closing):
            parted += paragraph
            row = []
        if not row:
            parted.append(Token(ROW, "div", 0, children=row, block=True))
        row.append(piece)
        text = []
    return parted + _paragraph(opening, text, closing)


def _paragraph(opening: Token, text: list[Token], closing: Token) -> list[Token]:
    """A paragraph of what is beside buttons; nothing where that is empty."""
    forward = list(dropwhile(_is_empty, text))
    trimmed = list(dropwhile(_is_empty, reversed(forward)))[::-1]
    return [opening, Token("inline", "", 0, children=trimmed), closing] if trimmed else []


def _pieces(children: Sequence[Token]) -> Iterator[Token]:
    """The tokens of a paragraph, with one for each button."""
    button: Token | None = None
    for child in children:
        if button is None and _is_button(child):
            button = Token(BUTTON, "a", 0, attrs={"href": child.attrs["href"]}, children=[])
        elif button is None:
            yield child
        elif child.type == "link_close":
            yield button
            button = None
        elif button.children is not None:
            button.children.append(child)


def _has_button(inline: Token) -> bool:
    return any(map(_is_button, inline.children or []))


def _is_button(token: Token) -> bool:
    return (
        token.type == "link_open"
        and token.level == 0
        and token.attrs.get("title") == BUTTON_TITLE
        and bool(token.attrs["href"])
    )


def _is_empty(token: Token) -> bool:
    return token.type in {"softbreak", "hardbreak"} or (
        token.type == "text" and not token.content.strip()
    )
