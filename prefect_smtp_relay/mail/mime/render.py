"""A message as MIME text, in pieces: small enough to read, and no attachment in memory.

The nesting is always ``multipart/alternative``, within ``multipart/related`` where there are
inline images, within ``multipart/mixed`` where there are attachments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from prefect_smtp_relay.mail.attachments.attachment import Attachment
from prefect_smtp_relay.mail.headers.fields import mailboxes, unstructured, with_parameter
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.flowed import stuff
from prefect_smtp_relay.mail.mime.transfer_encoding import (
    base64_length,
    encode_attachment,
    encode_text,
)

Piece = bytes | Attachment


@dataclass(frozen=True, slots=True)
class MimeText:
    """A rendered message: iterate over it to get its octets, with CRLF line ends.

    Args:
        pieces: literal octets, and attachments that are encoded while they are read.
    """

    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """Octets in all, known before a file is read (RFC 1870)."""
        return sum(
            len(piece) if isinstance(piece, bytes) else base64_length(piece.size)
            for piece in self.pieces
        )

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from encode_attachment(piece)

    def __bytes__(self) -> bytes:
        return b"".join(self)


def render_mime(message: Message) -> MimeText:
    """Render a message; Bcc recipients stand nowhere in it.

    Args:
        message: what to render. The same message gives the same octets every time.
    """
    boundary = "=_" + hashlib.sha256(message.message_id.encode()).hexdigest()[:24]
    alternative = [_plain_part(message), _text_part("html", message.html)]
    body = _multipart("alternative", f"{boundary}_a", alternative)
    if message.inline_images:
        images = [_file_part(image, "inline") for image in message.inline_images]
        body = _multipart("related", f"{boundary}_r", [body, *images])
    if message.attachments:
        files = [_file_part(file, "attachment") for file in message.attachments]
        body = _multipart("mixed", f"{boundary}_m", [body, *files])
    return MimeText(tuple(_join([_lines(_header_fields(message)), *body])))


def _header_fields(message: Message) -> list[str]:
    fields = [mailboxes("From", (message.from_,))]
    if message.sender:
        fields.append(mailboxes("Sender", (message.sender,)))
    for name, values in (("Reply-To", message.reply_to), ("To", message.to), ("Cc", message.cc)):
        if values:
            fields.append(mailboxes(name, values))
    if not message.visible_recipients:
        fields.append("To: undisclosed-recipients:;")
    return [
        *fields,
        unstructured("Subject", message.subject),
        f"Date: {_format_date(message.date)}",
        f"Message-ID: {message.message_id}",
        "Auto-Submitted: auto-generated",
        *(unstructured(name, value) for name, value in message.headers),
        "MIME-Version: 1.0",
    ]


@lru_cache(maxsize=16)
def _format_date(date: datetime) -> str:
    """Write a date; many mails are composed within one second."""
    return format_datetime(date)


def _plain_part(message: Message) -> list[Piece]:
    if message.flowed:
        return _text_part("plain", stuff(message.text), "; format=flowed")
    return _text_part("plain", message.text)


def _text_part(subtype: str, text: str, parameter: str = "") -> list[Piece]:
    encoding, data = encode_text(text)
    charset = "us-ascii" if encoding == "7bit" else "utf-8"
    head = [
        f"Content-Type: text/{subtype}; charset={charset}{parameter}",
        f"Content-Transfer-Encoding: {encoding}",
        "",
    ]
    return [_lines(head), data, b"\r\n"]


def _file_part(file: Attachment, disposition: str) -> list[Piece]:
    head = [
        with_parameter("Content-Type", file.media_type, "name", file.name),
        "Content-Transfer-Encoding: base64",
        with_parameter("Content-Disposition", disposition, "filename", file.name),
    ]
    if file.content_id:
        head.append(f"Content-ID: <{file.content_id}>")
    return [_lines([*head, ""]), file]


def _multipart(subtype: str, boundary: str, parts: list[list[Piece]]) -> list[Piece]:
    kind = '; type="multipart/alternative"' if subtype == "related" else ""
    pieces: list[Piece] = [
        _lines([f'Content-Type: multipart/{subtype}{kind};\r\n boundary="{boundary}"', ""])
    ]
    for part in parts:
        pieces += [_lines([f"--{boundary}"]), *part]
    return [*pieces, _lines([f"--{boundary}--"])]


def _lines(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode()


def _join(pieces: list[Piece]) -> Iterator[Piece]:
    """Put neighbouring octets together, so that a mail without files is one piece."""
    literal = b""
    for piece in pieces:
        if isinstance(piece, bytes):
            literal += piece
        else:
            yield literal
            yield piece
            literal = b""
    yield literal
