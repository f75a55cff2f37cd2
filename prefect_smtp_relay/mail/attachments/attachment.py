"""A file that travels with a message: beside its body, or shown inside it."""

from __future__ import annotations

import codecs
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prefect_smtp_relay.exceptions import AttachmentError
from prefect_smtp_relay.mail.attachments.media_type import choose_media_type, parameters_of

CHUNK = 57 * 1024
"""Bytes read at a time: a multiple of 57, so that every chunk is whole lines of base64."""

MAX_CHECKED_SIZE = 64 * 1024 * 1024
"""A longer text is not read through to learn whether it is UTF-8."""

_BAD_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# No encoded word (RFC 2047) among them: readers would decode it.
_CONTENT_ID = re.compile(r"(?!.*=\?.*\?=)[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@-]{1,200}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file, by its path (read while it is transmitted) or by its bytes.

    Args:
        source: a path, or the bytes themselves.
        name: the file name the reader sees; a path's own name where it is empty.
        media_type: for example ``application/pdf``, or ``text/calendar; method=REQUEST``; guessed
            from the name where it is empty, and plain bytes where it is a composite type. A text
            in UTF-8 gets its charset.
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
            raise _error(
                f"cannot attach a {type(self.source).__name__}",
                "Pass a path, or (name, data) with data as bytes.",
            )
        name = self.name or (self.source.name if isinstance(self.source, Path) else "")
        object.__setattr__(self, "name", _check_name(name))
        object.__setattr__(self, "media_type", choose_media_type(self.media_type, name))
        object.__setattr__(self, "size", _measure(self.source))
        if self.content_id and not _CONTENT_ID.fullmatch(str(self.content_id)):
            raise AttachmentError(
                f"{self.content_id!r} cannot be a content id",
                "Use letters, digits, dot and hyphen.",
                field="inline_images",
            )
        if self._is_text_without_charset() and self._is_utf8():
            object.__setattr__(self, "media_type", f"{self.media_type}; charset=utf-8")

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.media_type.partition(";")[0].lower()

    @property
    def is_invitation(self) -> bool:
        """Whether readers' programs take it for a part of the body (RFC 6047, section 2.4)."""
        return self.content_type == "text/calendar" and "method" in parameters_of(self.media_type)

    def chunks(self) -> Iterator[bytes]:
        """Yield the file in chunks of `CHUNK` bytes.

        Raises:
            AttachmentError: the file vanished or changed its size since it was attached.
        """
        if isinstance(self.source, bytes):
            yield from (self.source[i : i + CHUNK] for i in range(0, self.size, CHUNK))
            return
        seen = 0
        try:
            with self.source.open("rb") as file:
                while chunk := file.read(CHUNK):
                    seen += len(chunk)
                    if seen > self.size:
                        break
                    yield chunk
        except OSError as error:
            raise _error(f"cannot read {self.source}: {error}") from error
        if seen != self.size:
            raise _error(
                f"{self.source} had {self.size} bytes when it was attached, and has another size"
                " now",
                "Attach a file that nobody is writing.",
            )

    def _is_text_without_charset(self) -> bool:
        is_text = self.content_type.startswith("text/") and self.size <= MAX_CHECKED_SIZE
        return is_text and "charset" not in parameters_of(self.media_type)

    def _is_utf8(self) -> bool:
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            for chunk in self.chunks():
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return True


def _check_name(name: str) -> str:
    if not isinstance(name, str):
        raise _error(f"a name is text, not {type(name).__name__}", "Pass (name, data).")
    if not name:
        raise _error("bytes need a name", "Pass (name, data).")
    if found := _BAD_NAME.search(name):
        raise _error(f"the name {name!r} contains {found.group()!r}", "Rename it.")
    return name


def _measure(source: Path | bytes) -> int:
    if isinstance(source, bytes):
        return len(source)
    try:
        # Asked before it is opened: opening a pipe would wait for somebody to write into it.
        if not stat.S_ISREG(source.stat().st_mode):
            raise _error(f"{source} is not a file", "Name a file.")
        with source.open("rb") as file:
            return file.seek(0, 2)
    except (OSError, ValueError) as error:
        if isinstance(error, AttachmentError):
            raise
        raise _error(f"cannot read {str(source)!r}: {error}") from error


def _error(problem: str, fix: str = "") -> AttachmentError:
    return AttachmentError(problem, fix, field="attachments")
