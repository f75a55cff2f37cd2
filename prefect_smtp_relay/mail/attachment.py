"""A file that travels with a message: beside its body, or shown inside it."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from prefect_smtp_relay.exceptions import AttachmentError

BLOCK = 57 * 1024
"""Octets read at a time: a multiple of 57, so that every block is whole lines of base64."""

_IMAGE_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"<svg": ".svg",
}
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+")
_BAD_NAME = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_CONTENT_ID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@-]+")


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file, by its path (read while it is transmitted) or by its octets.

    Args:
        source: a path, or the octets themselves.
        name: the file name the reader sees; a path's own name where it is blank.
        media_type: for example ``application/pdf``; guessed from the name where it is blank.
        content_id: for inline images: what ``cid:`` refers to.

    Raises:
        AttachmentError: no such file, not readable, no name, or a malformed media type.
    """

    source: Path | bytes
    name: str = ""
    media_type: str = ""
    content_id: str = ""
    size: int = -1

    def __post_init__(self) -> None:
        name = self.name or (self.source.name if isinstance(self.source, Path) else "")
        object.__setattr__(self, "name", _check_name(name))
        object.__setattr__(self, "media_type", _check_media_type(self.media_type, name))
        object.__setattr__(self, "size", _measure(self.source))
        if self.content_id and not _CONTENT_ID.fullmatch(self.content_id):
            raise AttachmentError(
                f"inline_images: {self.content_id!r} cannot be a content id; use letters, digits,"
                " dot and hyphen."
            )

    def blocks(self) -> Iterator[bytes]:
        """Yield the octets in blocks of `BLOCK`.

        Raises:
            AttachmentError: the file vanished or changed its size since it was attached.
        """
        if isinstance(self.source, bytes):
            yield from (self.source[i : i + BLOCK] for i in range(0, self.size, BLOCK))
            return
        seen = 0
        try:
            with self.source.open("rb") as file:
                while block := file.read(BLOCK):
                    seen += len(block)
                    yield block
        except OSError as error:
            raise AttachmentError(f"attachments: cannot read {self.source}: {error}") from error
        if seen != self.size:
            raise AttachmentError(
                f"attachments: {self.source} changed from {self.size} to {seen} octets while it"
                " was being sent. Attach a file that nobody is writing."
            )


AttachmentInput = (
    str | Path | bytes | tuple[str, bytes] | tuple[str, bytes, str] | BinaryIO | Attachment
)


def read_attachments(
    values: Sequence[AttachmentInput] | Mapping[str, AttachmentInput] | None,
) -> tuple[Attachment, ...]:
    """Read the ``attachments`` argument.

    Args:
        values: paths, ``(name, octets)`` pairs, open files, or a mapping of names to these.

    Raises:
        AttachmentError: one of them is missing, unreadable or of another type.
    """
    if isinstance(values, Mapping):
        return tuple(_read(value, name=name) for name, value in values.items())
    if isinstance(values, (str, Path, bytes)):
        raise AttachmentError("attachments: expected a list; write attachments=[...].")
    return tuple(_read(value) for value in values or ())


def read_inline_images(images: Mapping[str, AttachmentInput] | None) -> tuple[Attachment, ...]:
    """Read the ``inline_images`` argument: content id to path or octets.

    Raises:
        AttachmentError: one of them is missing, unreadable or no image.
    """
    return tuple(_read(value, content_id=cid) for cid, value in (images or {}).items())


def _read(value: AttachmentInput, name: str = "", content_id: str = "") -> Attachment:
    if isinstance(value, Attachment):
        return value
    if isinstance(value, (str, Path)):
        return Attachment(Path(value), name, content_id=content_id)
    if isinstance(value, tuple):
        media_type = value[2] if len(value) == 3 else ""
        return Attachment(value[1], value[0], media_type, content_id)
    if isinstance(value, bytes):
        return Attachment(value, name or _name_image(value, content_id), content_id=content_id)
    if hasattr(value, "read"):
        return Attachment(_drain(value), name or _name_of(value), content_id=content_id)
    raise AttachmentError(
        f"attachments: cannot attach a {type(value).__name__}; pass a path, (name, octets) or an"
        " open binary file."
    )


def _name_image(data: bytes, content_id: str) -> str:
    """Name the octets of an inline image by its content id and its signature."""
    suffixes = [suffix for start, suffix in _IMAGE_SIGNATURES.items() if data.startswith(start)]
    return content_id + "".join(suffixes)


def _drain(file: BinaryIO) -> bytes:
    try:
        data = file.read()
    except (OSError, ValueError) as error:
        raise AttachmentError(f"attachments: cannot read the open file: {error}") from error
    return data.encode() if isinstance(data, str) else data


def _name_of(file: BinaryIO) -> str:
    name = getattr(file, "name", "")
    return Path(name).name if isinstance(name, str) else ""


def _check_name(name: str) -> str:
    if not name:
        raise AttachmentError("attachments: octets need a name; pass (name, octets).")
    if found := _BAD_NAME.search(name):
        raise AttachmentError(f"attachments: the name {name!r} holds {found.group()!r}; rename it.")
    return name


def _check_media_type(media_type: str, name: str) -> str:
    media_type = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise AttachmentError(
            f"attachments: {media_type!r} is no media type; write it like application/pdf."
        )
    return media_type


def _measure(source: Path | bytes) -> int:
    if isinstance(source, bytes):
        return len(source)
    try:
        with source.open("rb") as file:
            return file.seek(0, 2)
    except OSError as error:
        raise AttachmentError(
            f"attachments: cannot read {source}: {error.strerror or error}."
        ) from error
