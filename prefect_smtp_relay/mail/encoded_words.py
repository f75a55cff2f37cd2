"""Encoded words (RFC 2047), read as readers' programs read them."""

from __future__ import annotations

import re
from binascii import a2b_base64
from email.quoprimime import header_decode

_WORD = r"=\?[^?\s]{1,80}\?[bq]\?.{0,1000}?\?="
_RUN = re.compile(rf"{_WORD}(?:[ \t]*{_WORD})*", re.IGNORECASE)
_PARTS = re.compile(r"=\?([^?\s]+)\?([bq])\?(.*?)\?=", re.IGNORECASE)

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def decode_words(text: str) -> str:
    """Decode the encoded words of a text, once.

    What only looks like one stays as it is, and so does one that hides a control character.

    Args:
        text: a header's value or a display name, unfolded.
    """
    return _RUN.sub(_decode_run, text) if "=?" in text else text


def _decode_run(found: re.Match[str]) -> str:
    """Decode neighbours together: spaces between them do not count, and a letter may be cut."""
    pieces: list[tuple[str, bytes]] = []
    try:
        for charset, encoding, encoded in _PARTS.findall(found.group()):
            name = charset.partition("*")[0].lower()  # RFC 2231, section 5: "utf-8*en"
            decoded = _decode(encoding, encoded)
            if pieces and pieces[-1][0] == name:
                decoded = pieces.pop()[1] + decoded
            pieces.append((name, decoded))
        text = "".join(decoded.decode(name) for name, decoded in pieces)
    except (LookupError, ValueError):
        return found.group()
    return found.group() if _CONTROLS.search(text) else text


def _decode(encoding: str, encoded: str) -> bytes:
    if encoding in "bB":
        return a2b_base64(encoded + "==")  # some programs leave out the padding
    return header_decode(encoded).encode("latin-1")
