"""SASLprep: one spelling for usernames and passwords that look the same (RFC 4013)."""

from __future__ import annotations

import stringprep
from unicodedata import ucd_3_2_0

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)
"""RFC 4013, section 2.3: blanks other than U+0020, controls, private use, surrogates and so on."""


def saslprep(text: str, *, is_stored: bool = False) -> str:
    """Prepare a username or a password for the wire.

    Args:
        text: as the person wrote it.
        is_stored: refuse characters that are unknown to Unicode 3.2, as for a "stored string" of
            RFC 3454, section 7; without it, they pass, as in a "query".

    Raises:
        ValueError: it holds a character that is not permitted, which the text does not repeat, or
            nothing at all.
    """
    visible = (c for c in text if not stringprep.in_table_b1(c))
    mapped = (" " if stringprep.in_table_c12(c) else c for c in visible)
    prepared = ucd_3_2_0.normalize("NFKC", "".join(mapped))
    if not prepared:
        raise ValueError("holds no visible character")
    if any(is_in_table(c) for c in prepared for is_in_table in _PROHIBITED):
        raise ValueError("holds a control character, or another one that no login may hold")
    if is_stored and any(map(stringprep.in_table_a1, prepared)):
        raise ValueError("holds a character that this mechanism does not permit, such as an emoji")
    _check_direction(prepared)
    return prepared


def _check_direction(text: str) -> None:
    """RFC 3454, section 6: right-to-left letters stand alone, at both ends."""
    if not any(map(stringprep.in_table_d1, text)):
        return
    is_closed = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    if not is_closed or any(map(stringprep.in_table_d2, text)):
        raise ValueError("mixes letters that are written from right to left with others")
