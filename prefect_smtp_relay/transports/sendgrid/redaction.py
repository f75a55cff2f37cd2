"""Takes the API key out of what somebody else wrote."""

from __future__ import annotations

import re
from itertools import groupby

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


def redact(text: str, api_key: SecretStr) -> str:
    """Replace the API key, and each piece of it of six characters or more.

    Args:
        text: what an answer says. It may repeat the key as it is, cut off at either end, or
            escaped for a URL, for JSON or for HTML.
        api_key: is looked for.
    """
    key = api_key.get_secret_value()
    text = _hide([(character, character) for character in text], key)
    return _hide([(found.group(), _meaning(found)) for found in _WRITTEN.finditer(text)], key)


def _hide(characters: list[tuple[str, str]], key: str) -> str:
    """Replace runs that mean a piece of the key; each character is (as written, as meant)."""
    meant = "".join(character for _, character in characters)
    size = min(len(key), _SHORTEST_PIECE)
    pieces = {key[start : start + size] for start in range(len(key) - size + 1)}
    is_hidden = bytearray(len(meant))
    for start in range(len(meant) - size + 1):
        if meant[start : start + size] in pieces:
            is_hidden[start : start + size] = bytes([True]) * size
    runs = groupby(zip(is_hidden, characters, strict=True), key=lambda pair: pair[0])
    return "".join(
        _MASK if hidden else "".join(written for _, (written, _) in run) for hidden, run in runs
    )


def _meaning(found: re.Match[str]) -> str:
    in_url, in_json, escaped, hexadecimal, decimal, plain = found.groups()
    if code := in_url or in_json or hexadecimal:
        return chr(int(code, 16))
    return chr(int(decimal)) if decimal else escaped or plain
