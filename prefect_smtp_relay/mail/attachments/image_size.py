"""How wide a picture is, read from its first bytes: PNG, GIF, JPEG and WebP."""

from __future__ import annotations

import re
from itertools import islice

from prefect_smtp_relay.mail.attachments.attachment import Attachment

_CHUNKS = 20
"""Of `Attachment.chunks`: some cameras write a megabyte before a JPEG says its size."""

_FIXED: tuple[tuple[re.Pattern[bytes], slice, bool], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n.{4}IHDR", re.DOTALL), slice(16, 20), True),
    (re.compile(rb"GIF8[79]a"), slice(6, 8), False),
)
"""The signature, where the width is, and whether its first byte says most."""

_WEBP = re.compile(rb"RIFF.{4}WEBPVP8([ LX])", re.DOTALL)
_WEBP_WIDTHS = {b" ": (slice(26, 28), 0), b"L": (slice(21, 23), 1), b"X": (slice(24, 27), 1)}
"""Where it is, and what is added to it; 14 bits of the first two kinds."""
_14_BITS = 0x3FFF

_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers of JPEG that say the size (ITU-T T.81, table B.1)."""


def image_width(image: Attachment) -> int:
    """Read a picture's width in pixels; 0 where that is unknown."""
    data = b"".join(islice(image.chunks(), _CHUNKS))
    for signature, place, is_big_endian in _FIXED:
        if signature.match(data):
            return int.from_bytes(data[place], "big" if is_big_endian else "little")
    if webp := _WEBP.match(data):
        place, more = _WEBP_WIDTHS[webp[1]]
        width = int.from_bytes(data[place], "little")
        return (width if webp[1] == b"X" else width & _14_BITS) + more
    return _width_of_jpeg(data) if data.startswith(b"\xff\xd8") else 0


def _width_of_jpeg(data: bytes) -> int:
    """Go from segment to segment, each with its length, to the one that says the size."""
    at = 2
    while data[at : at + 1] == b"\xff" and at + 9 <= len(data):
        if data[at + 1] in _FRAMES:
            return int.from_bytes(data[at + 7 : at + 9], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0
