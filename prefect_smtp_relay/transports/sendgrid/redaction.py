"""Takes the API key out of what somebody else wrote."""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from pydantic import SecretStr

_MASK = "***"
_SHORTEST_PIECE = 6
_WRITTEN = re.compile(
    r"%([0-9A-Fa-f]{2})"  # in a URL
    r"|\\u00([0-9A-Fa-f]{2})|\\([^u])"  # in JSON
    r"|&#[xX]([0-9A-Fa-f]{2});|&#([0-9]{1,3});"  # in HTML
    r"|(.)",
    re.DOTALL,
)


class _Character(NamedTuple):
    """One character: where it is written, and which one is meant."""

    start: int
    end: int
    meant: str


def redact(text: str, api_key: SecretStr) -> str:
    """Replace the API key, and each piece of it of six characters or more.

    Args:
        text: what an answer says. It may repeat the key as it is, cut off at either end, or
            escaped for a URL, for JSON or for HTML.
        api_key: is looked for.
    """
    key = api_key.get_secret_value()
    is_hidden = bytearray(len(text))
    _mark(is_hidden, [_Character(place, place + 1, c) for place, c in enumerate(text)], key)
    _mark(is_hidden, [_read(found) for found in _WRITTEN.finditer(text)], key)
    runs = groupby(zip(is_hidden, text, strict=True), key=itemgetter(0))
    return "".join(_MASK if hidden else "".join(c for _, c in run) for hidden, run in runs)


def _mark(is_hidden: bytearray, characters: list[_Character], key: str) -> None:
    """Mark where in the text a piece of the key stands, under one reading of the text."""
    meant = "".join(character.meant for character in characters)
    size = min(len(key), _SHORTEST_PIECE)
    pieces = {key[start : start + size] for start in range(len(key) - size + 1)}
    for first in range(len(meant) - size + 1):
        if meant[first : first + size] in pieces:
            start, end = characters[first].start, characters[first + size - 1].end
            is_hidden[start:end] = bytes([True]) * (end - start)


def _read(found: re.Match[str]) -> _Character:
    in_url, in_json, escaped, hexadecimal, decimal, plain = found.groups()
    if code := in_url or in_json or hexadecimal:
        return _Character(*found.span(), chr(int(code, 16)))
    return _Character(*found.span(), chr(int(decimal)) if decimal else escaped or plain)
