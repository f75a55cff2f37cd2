"""What somebody else wrote, as it may be shown: without our secrets, without hidden characters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple
from urllib.parse import quote_plus

MASK = "***"

_PIECE = 6
_KEY_LENGTH = 20
_ESCAPED = re.compile(
    r"%([0-9A-Fa-f]{2})"  # in a URL
    r"|\\u00([0-9A-Fa-f]{2})|\\([^u])"  # in JSON
    r"|&#[xX]([0-9A-Fa-f]{2});|&#([0-9]{1,3});"  # in HTML
    r"|(.)",
    re.DOTALL,
)
_SPACES = re.compile(r"[ \t\r\n\u00a0\u202f\u3000]+")
_ESCAPES = frozenset("%\\&")


class _Character(NamedTuple):
    """One character: where it is written, and which one is meant."""

    start: int
    end: int
    meant: str


def visible(text: str) -> str:
    r"""Write a text in one line, with an escape such as ``\x1b`` for what does not show.

    Controls, which a terminal obeys, separators of lines, bidirectional controls and other
    characters without a shape, and halves of characters, which no log takes.
    """
    line = _SPACES.sub(" ", text).strip(" ")
    return line if line.isprintable() else "".join(map(_visible, line))


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


class Redactor:
    """Puts asterisks in place of secrets.

    A text may repeat a secret as it is, in other letter case, or escaped for a URL, for JSON or
    for HTML. Of a key or token, which has 20 characters or more and no space, each piece of six
    that is not a word is masked too: the text may be cut off at either end of it.

    Args:
        secrets: empty ones are passed over.
        lines: masked as a whole only, such as a login's, of which an answer has to repeat a part.
        addresses: masked as a whole; their local parts, too, where they are not part of a longer
            word.
        mask: what takes their place.
    """

    def __init__(
        self,
        secrets: Iterable[str] = (),
        *,
        lines: Iterable[str] = (),
        addresses: Iterable[str] = (),
        mask: str = MASK,
    ) -> None:
        self._mask = mask
        known = {secret for secret in secrets if secret}
        keys = {s for s in known if len(s) >= _KEY_LENGTH and not any(map(str.isspace, s))}
        known |= {quote_plus(secret, errors="replace") for secret in known - keys}
        self._pieces = frozenset(
            piece.lower()
            for key in keys
            for start in range(len(key) - _PIECE + 1)
            if not _is_word(piece := key[start : start + _PIECE])
        )
        addresses = {address for address in addresses if address}
        # The longest first: one may be the end of another.
        whole = sorted(known | addresses | {line for line in lines if line}, key=len, reverse=True)
        names = (address.rpartition("@")[0] for address in addresses)
        alternatives = [
            *map(_pattern, whole),
            *(rf"(?<![\w.@+-]){re.escape(name)}(?![\w.@+-])" for name in names),
        ]
        self._whole = re.compile("|".join(alternatives), re.IGNORECASE) if alternatives else None

    def __call__(self, text: str) -> str:
        """Mask every secret in a text; the rest stays as it is written."""
        spans = self._find(text)
        if not _ESCAPES.isdisjoint(text):
            characters = [_read(found) for found in _ESCAPED.finditer(text)]
            meant = "".join(character.meant for character in characters)
            spans += [
                (characters[start].start, characters[end - 1].end)
                for start, end in self._find(meant)
            ]
        return self._replace(text, spans) if spans else text

    def hides(self, text: str) -> bool:
        """Whether a text repeats a secret."""
        return self(text) != text

    def _find(self, text: str) -> list[tuple[int, int]]:
        spans = [found.span() for found in self._whole.finditer(text)] if self._whole else []
        if self._pieces:
            lower, size = text.lower(), _PIECE
            text = lower if len(lower) == len(text) else text
            spans += [
                (start, start + size)
                for start in range(len(text) - size + 1)
                if text[start : start + size] in self._pieces
            ]
        return spans

    def _replace(self, text: str, spans: list[tuple[int, int]]) -> str:
        is_hidden = bytearray(len(text))
        for start, end in spans:
            is_hidden[start:end] = b"\1" * (end - start)
        runs = groupby(zip(is_hidden, text, strict=True), key=itemgetter(0))
        return "".join(self._mask if hidden else "".join(c for _, c in run) for hidden, run in runs)


def _pattern(text: str) -> str:
    """Match a secret; a short one only as a word of its own: p is part of half of all words."""
    escaped = re.escape(text)
    return escaped if len(text) >= _PIECE else rf"(?<!\w){escaped}(?!\w)"


def _is_word(piece: str) -> bool:
    """Whether others may write it too: ``client``."""
    return piece.isalpha() and piece[1:].islower()


def _read(found: re.Match[str]) -> _Character:
    in_url, in_json, escaped, hexadecimal, decimal, plain = found.groups()
    if code := in_url or in_json or hexadecimal:
        return _Character(*found.span(), chr(int(code, 16)))
    return _Character(*found.span(), chr(int(decimal)) if decimal else escaped or plain)
