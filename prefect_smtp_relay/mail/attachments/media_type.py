"""Media types of files (RFC 2046, RFC 6838)."""

from __future__ import annotations

import mimetypes
import re
from pathlib import PurePosixPath

from prefect_smtp_relay.exceptions import AttachmentError

OCTETS = "application/octet-stream"

_RESTRICTED_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE = re.compile(f"{_RESTRICTED_NAME}/{_RESTRICTED_NAME}")
_COMPRESSIONS = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
}
_IMAGE_SIGNATURES = {
    ".png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    ".jpg": re.compile(rb"\xff\xd8\xff"),
    ".gif": re.compile(rb"GIF8"),
    ".webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
    ".svg": re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?<svg"),
}


def choose_media_type(media_type: str, name: str) -> str:
    """Return the media type of a file, guessed from its name where none is given.

    A composite type (``message/rfc822``, ``multipart/...``) becomes `OCTETS`: it may not be
    encoded as base64 (RFC 2045, section 6.4), and a file must arrive octet by octet.

    Args:
        media_type: as the caller wrote it, or blank.
        name: the file's name.

    Raises:
        AttachmentError: the given one is malformed (RFC 6838, section 4.2).
    """
    media_type = media_type or _guess(name)
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise AttachmentError(
            f"attachments: {media_type!r} is no media type; write it like application/pdf."
        )
    return OCTETS if media_type.lower().startswith(("message/", "multipart/")) else media_type


def _guess(name: str) -> str:
    # Only the suffixes: guess_type() takes a URL, and stumbles over names that look like one.
    suffixes = "".join(PurePosixPath(name).suffixes[-2:])
    media_type, compression = mimetypes.guess_type(f"file{suffixes}", strict=False)
    return _COMPRESSIONS.get(compression, OCTETS) if compression else media_type or OCTETS


def image_suffix(data: bytes) -> str:
    """Return the file name suffix that belongs to an image's octets, or nothing."""
    matches = (suffix for suffix, start in _IMAGE_SIGNATURES.items() if start.match(data))
    return next(matches, "")
