"""Media types of files, with their parameters (RFC 2045, RFC 6838)."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from prefect_smtp_relay.exceptions import AttachmentError
from prefect_smtp_relay.mail.address_syntax import quote

BYTES = "application/octet-stream"
MAX_MEDIA_TYPE_LENGTH = 500
"""With its parameters: it is one line of a header."""

_RESTRICTED_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE = re.compile(f"{_RESTRICTED_NAME}/{_RESTRICTED_NAME}")
_ATTRIBUTE = r"[A-Za-z0-9!#$&+.^_`{|}~-]+"
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+")
_PARAMETER = re.compile(
    rf';\s*(?P<name>{_ATTRIBUTE})=(?:(?P<token>{_TOKEN.pattern})|"(?P<text>[ !#-\[\]-~]*)")\s*'
)
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

    A composite type (``message/rfc822``, ``multipart/...``) becomes `BYTES`: it may not be
    encoded as base64 (RFC 2045, section 6.4), and a file must arrive byte for byte.

    Args:
        media_type: as the caller wrote it, with or without parameters, or empty.
        name: the file's name.

    Raises:
        AttachmentError: the given one is malformed.
    """
    kind, parameters = _read(media_type or _guess(name))
    if kind.lower().startswith(("message/", "multipart/")):
        return BYTES
    return with_parameters(kind, parameters.items())


def with_parameters(kind: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Write a media type with parameters, in quotes where they need them."""
    written = (f"; {n}={v if _TOKEN.fullmatch(v) else quote(v)}" for n, v in parameters)
    return kind + "".join(written)


def parameters_of(media_type: str) -> dict[str, str]:
    """Return the parameters of a media type that `choose_media_type` returned."""
    return _read(media_type)[1]


def _read(media_type: str) -> tuple[str, dict[str, str]]:
    """Read type and parameters; a file's name is the attachment's own, and no parameter."""
    if not isinstance(media_type, str):
        raise _error(f"a media type is text, not {type(media_type).__name__}")
    kind = media_type.partition(";")[0].strip()
    found = list(_PARAMETER.finditer(rest := media_type.strip()[len(kind) :].lstrip()))
    parameters = {each["name"].lower(): each["token"] or each["text"] or "" for each in found}
    if (
        len(media_type) > MAX_MEDIA_TYPE_LENGTH
        or not _MEDIA_TYPE.fullmatch(kind)
        or "".join(each.group() for each in found) != rest
        or len(parameters) < len(found)
    ):
        raise _error(f"{media_type[:200]!r} is not a media type")
    parameters.pop("name", None)
    return kind, parameters


def _error(problem: str) -> AttachmentError:
    fix = "Write it like application/pdf, or text/calendar; method=REQUEST."
    return AttachmentError(problem, fix, field="attachments")


def _guess(name: str) -> str:
    # Only the suffixes: guess_type() takes a URL, and stumbles over names that look like one.
    suffixes = "".join(PurePosixPath(name).suffixes[-2:])
    media_type, compression = mimetypes.guess_type(f"file{suffixes}", strict=False)
    return _COMPRESSIONS.get(compression, BYTES) if compression else media_type or BYTES


def image_suffix(data: bytes) -> str:
    """Return the file name suffix that belongs to an image's bytes, or nothing."""
    matches = (suffix for suffix, start in _IMAGE_SIGNATURES.items() if start.match(data))
    return next(matches, "")
