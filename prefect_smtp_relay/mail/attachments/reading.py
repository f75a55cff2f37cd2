"""The ways a caller names files: paths, bytes, open files."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from prefect_smtp_relay.exceptions import AttachmentError
from prefect_smtp_relay.mail.attachments.attachment import Attachment
from prefect_smtp_relay.mail.attachments.media_type import image_suffix
from prefect_smtp_relay.mail.attachments.size_limit import SizeLimit

_reading = threading.Lock()
"""Mapped tasks share one open file between threads."""

AttachmentInput = (
    str | Path | bytes | tuple[str, bytes] | tuple[str, bytes, str] | BinaryIO | Attachment
)


def read_attachments(
    values: Sequence[AttachmentInput] | Mapping[str, AttachmentInput] | None,
    limit: SizeLimit | None = None,
) -> tuple[Attachment, ...]:
    """Read the ``attachments`` argument.

    Args:
        values: paths, ``(name, data)`` pairs, open files, or a mapping of names to these.
        limit: of each open file, which is read here.

    Raises:
        AttachmentError: one of them is missing, unreadable or of another type.
        MessageTooLarge: an open file has more bytes than the limit.
    """
    if values is None:
        return ()
    if isinstance(values, Mapping):
        return tuple(_read(value, name=name, limit=limit) for name, value in values.items())
    if isinstance(values, (str, Path, bytes)) or not isinstance(values, Iterable):
        raise _error("expected a list", "Write attachments=[...].")
    if isinstance(values, Iterator):
        raise _error("this can be read only once, and a retry reads it again", "Pass a list.")
    return tuple(_read(value, limit=limit) for value in values)


def read_inline_images(
    images: Mapping[str, AttachmentInput] | None, limit: SizeLimit | None = None
) -> tuple[Attachment, ...]:
    """Read the ``inline_images`` argument.

    Args:
        images: content id to path, bytes or open file.
        limit: of each open file, which is read here.

    Raises:
        AttachmentError: one of them is missing, unreadable or not an image.
        MessageTooLarge: an open file has more bytes than the limit.
    """
    if images is None:
        return ()
    if not isinstance(images, Mapping):
        raise _image_error("expected a mapping of content ids to images")
    return tuple(_read_image(cid, value, limit) for cid, value in images.items())


def _read_image(content_id: str, value: AttachmentInput, limit: SizeLimit | None) -> Attachment:
    if not content_id or not isinstance(content_id, str):
        raise _image_error(f"{content_id!r} is not a content id", "Name the image by a word.")
    image = _read(value, content_id=content_id, limit=limit)
    if not image.content_type.startswith("image/"):
        raise _image_error(
            f"{content_id!r} is {image.media_type}, which is not an image",
            "Pass (name, data) with a name such as logo.png.",
        )
    return image


def _read(
    value: AttachmentInput,
    name: str = "",
    content_id: str = "",
    limit: SizeLimit | None = None,
) -> Attachment:
    if isinstance(value, Attachment):
        return replace(value, name=name or value.name, content_id=content_id or value.content_id)
    if isinstance(value, str) and "://" in value:
        raise _error("is a URL", "Read it first, and pass (name, data).")
    if isinstance(value, (str, Path)):
        return Attachment(Path(value), name, content_id=content_id)
    if isinstance(value, tuple):
        return _read_tuple(value, name, content_id)
    if isinstance(value, bytes):
        return Attachment(value, name or _name_image(value, content_id), content_id=content_id)
    if hasattr(value, "read"):
        name = name or _name_of(value)
        return Attachment(_drain(value, name, limit), name, content_id=content_id)
    raise _error(
        f"cannot attach a {type(value).__name__}",
        "Pass a path, (name, data) or an open binary file.",
    )


def _read_tuple(
    value: tuple[str, bytes] | tuple[str, bytes, str], name: str, content_id: str
) -> Attachment:
    if len(value) not in {2, 3}:
        raise _error(f"a tuple of {len(value)}", "Pass (name, data) or (name, data, media type).")
    media_type = value[2] if len(value) == 3 else ""
    return Attachment(value[1], name or value[0], media_type, content_id)


def _name_image(data: bytes, content_id: str) -> str:
    """Name the bytes of an inline image by its content id and its signature."""
    return content_id.removesuffix(suffix := image_suffix(data)) + suffix


def _drain(file: BinaryIO, name: str, limit: SizeLimit | None) -> bytes:
    """Read an open file and put it back where it was: a retry reads it again."""
    try:
        with _reading:
            start = file.tell()
            data = file.read() if limit is None else file.read(limit.in_bytes + 1)
            file.seek(start)
        content = data.encode() if isinstance(data, str) else bytes(data)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise _error(
            f"cannot read the open file again and again ({error})",
            "Read it first, and pass (name, data).",
        ) from error
    if limit is not None and len(content) > limit.in_bytes:
        raise limit.exceeded(f"the open file {name!r} has more than {limit.megabytes} MB")
    return content


def _name_of(file: BinaryIO) -> str:
    name = getattr(file, "name", "")
    return Path(name).name if isinstance(name, str) else ""


def _error(problem: str, fix: str = "") -> AttachmentError:
    return AttachmentError(problem, fix, field="attachments")


def _image_error(problem: str, fix: str = "") -> AttachmentError:
    return AttachmentError(problem, fix, field="inline_images")
