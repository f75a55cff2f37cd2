"""How wide pictures are."""

from __future__ import annotations

import struct

import pytest

from prefect_smtp_relay.mail.attachments.attachment import Attachment
from prefect_smtp_relay.mail.attachments.image_size import image_width

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 1600, 9)
GIF = b"GIF89a" + struct.pack("<HH", 1600, 9)
EXIF = b"\xff\xe1" + struct.pack(">H", 60_000) + bytes(59_998)
FRAME = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, 9, 1600, 3)
JPEG = b"\xff\xd8" + EXIF * 3 + b"\xff\xc4\x00\x04ab" + FRAME
RIFF = b"RIFF" + bytes(4) + b"WEBPVP8"
LOSSY = RIFF + b" " + bytes(10) + struct.pack("<HH", 1600 | 0x4000, 9)
LOSSLESS = RIFF + b"L" + bytes(4) + b"\x2f" + struct.pack("<I", 1599 | (8 << 14))
EXTENDED = RIFF + b"X" + bytes(8) + (1599).to_bytes(3, "little") + bytes(3)


@pytest.mark.parametrize(
    "data",
    [PNG, GIF, b"GIF87a" + GIF[6:], JPEG, LOSSY, LOSSLESS, EXTENDED],
    ids=["png", "gif", "gif87", "jpeg", "lossy", "lossless", "extended"],
)
def test_the_width_is_in_the_first_bytes(data: bytes) -> None:
    """Each kind says it at a place of its own; a JPEG after what the camera wrote."""
    assert image_width(Attachment(data, "a.bin")) == 1600


@pytest.mark.parametrize(
    "data",
    [b"", b"<svg/>", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xe1\x00\x00", JPEG[:-9], b"RIFF"],
)
def test_the_width_of_anything_else_is_unknown(data: bytes) -> None:
    """Neither another kind nor a picture that was cut off stops a mail."""
    assert image_width(Attachment(data, "a.bin")) == 0


@pytest.mark.parametrize("cut", range(30))
def test_a_picture_that_was_cut_off_has_some_width(cut: int) -> None:
    """Whatever its first bytes are, reading them ends."""
    for data in (PNG, GIF, LOSSY, LOSSLESS, EXTENDED, b"\xff\xd8" + FRAME):
        assert image_width(Attachment(data[:cut], "a.bin")) >= 0
