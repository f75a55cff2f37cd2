"""A file that travels with a message: beside its body, or shown inside it."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prefect_smtp_relay.exceptions import AttachmentError
from prefect_smtp_relay.mail.attachments.media_type import choose_media_type

BLOCK = 57 * 1024
"""Octets read at a time: a multiple of 57, so that every block is whole lines of base64."""

_BAD_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# No encoded word (RFC 2047) among them: readers would decode it.
_CONTENT_ID = re.compile(r"(?!.*=\?.*\?=)[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@-]{1,200}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file, by its path (read while it is transmitted) or by its octets.

    Args:
        source: a path, or the octets themselves.
        name: the file name the reader sees; a path's own name where it is blank.
        media_type: for example ``application/pdf``; guessed from the name where it is blank,
            and plain octets where it is a composite type.
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
        if not isinstance(self.source, (Path, bytes)):
            raise AttachmentError(
                f"attachments: cannot attach a {type(self.source).__name__}; pass a path, or"
                " (name, octets) with octets as bytes."
            )
        name = self.name or (self.source.name if isinstance(self.source, Path) else "")
        object.__setattr__(self, "name", _check_name(name))
        object.__setattr__(self, "media_type", choose_media_type(self.media_type, name))
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
                    if seen > self.size:
                        break
                    yield block
        except OSError as error:
            raise AttachmentError(f"attachments: cannot read {self.source}: {error}") from error
        if seen != self.size:
            raise AttachmentError(
                f"attachments: {self.source} had {self.size} octets when it was attached, and"
                " has another size now. Attach a file that nobody is writing."
            )


def _check_name(name: str) -> str:
    if not isinstance(name, str):
        raise AttachmentError(
            f"attachments: a name is text, not {type(name).__name__}; pass (name, octets)."
        )
    if not name:
        raise AttachmentError("attachments: octets need a name; pass (name, octets).")
    if found := _BAD_NAME.search(name):
        raise AttachmentError(f"attachments: the name {name!r} holds {found.group()!r}; rename it.")
    return name


def _measure(source: Path | bytes) -> int:
    if isinstance(source, bytes):
        return len(source)
    if not isinstance(source, Path):
        raise AttachmentError(
            f"attachments: the octets are {type(source).__name__}; pass bytes, or a path."
        )
    try:
        # Asked before it is opened: opening a pipe would wait for somebody to write into it.
        if not stat.S_ISREG(source.stat().st_mode):
            raise AttachmentError(f"attachments: {source} is no file; name one.")
        with source.open("rb") as file:
            return file.seek(0, 2)
    except AttachmentError:
        raise
    except (OSError, ValueError) as error:
        raise AttachmentError(f"attachments: cannot read {str(source)!r}: {error}.") from error
