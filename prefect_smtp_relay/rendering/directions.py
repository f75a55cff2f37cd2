"""Which way a text is written: by its first letter, as readers of Hebrew and Arabic expect.

Mail programs differ in what they make of ``dir="auto"``, so each block says its own direction, and
only in mails that need it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal

from markdown_it.token import Token

from prefect_smtp_relay.rendering.buttons import ROW

Direction = Literal["ltr", "rtl"]

_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
"""Blocks of Unicode whose letters are of the classes R and AL (Unicode Standard Annex 9)."""
_LANGUAGES = frozenset(
    ["ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "ps", "sd", "syr", "ug", "ur", "yi"]
)
_SCRIPTS = frozenset(["adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"])
_BLOCKS = frozenset(
    {
        *("paragraph_open", "heading_open", "blockquote_open", "table_open", "td_open", "th_open"),
        *("bullet_list_open", "ordered_list_open", "list_item_open", ROW),
    }
)
_CODE = frozenset({"fence", "code_block", "code_inline"})


def direction_of_language(tag: str) -> Direction:
    """Say which way a language is written.

    Args:
        tag: of RFC 5646, such as ``he``, ``ar-EG`` or ``az-Arab``.
    """
    primary, *others = tag.lower().split("-")
    scripts = [part for part in others if len(part) == 4]
    is_rtl = bool(_SCRIPTS & {*scripts}) if scripts else primary in _LANGUAGES
    return "rtl" if is_rtl else "ltr"


def direction_of(text: str) -> Direction | None:
    """Say which way a text is written: that of its first letter; None where it has none."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in {"R", "AL"}:
            return "rtl"
        if kind == "L":
            return "ltr"
    return None


def mark_directions(tokens: Sequence[Token], base: Direction) -> None:
    """Give each block the attribute ``dir``, where anything is written from right to left.

    Args:
        tokens: of a whole document; their attributes are changed.
        base: of blocks without a letter.
    """
    if base == "ltr" and not any(map(_is_right_to_left, tokens)):
        return
    following = base
    # Backwards: what opens a block comes before its text.
    for token in reversed(tokens):
        if found := direction_of("".join(_texts(token))):
            following = found
        if token.type in _BLOCKS:
            token.attrSet("dir", following)
        if token.type.endswith("_close"):
            following = base
        _mark_code(token)


def _mark_code(token: Token) -> None:
    if token.type in _CODE:
        token.attrSet("dir", "ltr")
    for child in token.children or ():
        _mark_code(child)


def _is_right_to_left(token: Token) -> bool:
    return any(map(_RIGHT_TO_LEFT.search, _texts(token)))


def _texts(token: Token) -> Iterator[str]:
    """The words in a token; code is always written from left to right."""
    if token.type in {"text", "image"}:
        yield token.content
    for child in token.children or ():
        yield from _texts(child)
