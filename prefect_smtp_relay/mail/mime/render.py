"""A message as MIME text, in pieces: small enough to read, and no attachment in memory.

The body is ``multipart/alternative``, or a text alone, within ``multipart/related`` where there
are inline images, within ``multipart/mixed`` where there are attachments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from prefect_smtp_relay.mail.attachments.attachment import Attachment
from prefect_smtp_relay.mail.headers.fields import mailboxes, unstructured
from prefect_smtp_relay.mail.headers.parameters import content_disposition, content_type
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
    """A rendered message: iterate over it to get its bytes, with CRLF line ends.

    Args:
        pieces: literal bytes, and attachments that are encoded while they are read.
    """

    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """Bytes in all, known before a file is read (RFC 1870)."""
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
    """Render a message; Bcc recipients are nowhere in it.

    Args:
        message: what to render. The same message gives the same bytes every time.
    """
    boundary = "=_" + hashlib.sha256(message.message_id.encode()).hexdigest()[:24]
    files = [file for file in message.attachments if not file.is_invitation]
    kind, body = _body(message, f"{boundary}_a")
    if message.inline_images:
        images = [_file_part(image, "inline") for image in message.inline_images]
        body = _multipart(f'multipart/related; type="{kind}"', f"{boundary}_r", [body, *images])
    if files:
        parts = [body, *(_file_part(file, "attachment") for file in files)]
        body = _multipart("multipart/mixed", f"{boundary}_m", parts)
    elif kind == "text/plain" and not message.inline_images:
        body = _end_once(body)
    return MimeText(tuple(_join([_lines(_header_fields(message)), *body])))


def _body(message: Message, boundary: str) -> tuple[str, list[Piece]]:
    """Write what readers' programs choose from, the best one last (RFC 2046, section 5.1.4)."""
    parts = [_plain_part(message)]
    if message.html:
        parts.append(_text_part("html", message.html))
    parts += [_file_part(file, "") for file in message.attachments if file.is_invitation]
    if len(parts) == 1:
        return "text/plain", parts[0]
    return "multipart/alternative", _multipart("multipart/alternative", boundary, parts)


def _end_once(text_part: list[Piece]) -> list[Piece]:
    """Leave out the line end that belongs to a boundary, where the text has one of its own."""
    head, data, *_ = text_part
    is_ended = isinstance(data, bytes) and data.endswith(b"\r\n")
    return [head, data] if is_ended else text_part


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
    head = [content_type(file.media_type, file.name), "Content-Transfer-Encoding: base64"]
    if disposition:
        head.append(content_disposition(disposition, file.name))
    if file.content_id:
        head.append(f"Content-ID: <{file.content_id}>")
    return [_lines([*head, ""]), file]


def _multipart(media_type: str, boundary: str, parts: list[list[Piece]]) -> list[Piece]:
    pieces: list[Piece] = [_lines([f'Content-Type: {media_type};\r\n boundary="{boundary}"', ""])]
    for part in parts:
        pieces += [_lines([f"--{boundary}"]), *part]
    return [*pieces, _lines([f"--{boundary}--"])]


def _lines(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode()


def _join(pieces: list[Piece]) -> Iterator[Piece]:
    """Put neighbouring bytes together, so that a mail without files is one piece."""
    literal = b""
    for piece in pieces:
        if isinstance(piece, bytes):
            literal += piece
        else:
            yield literal
            yield piece
            literal = b""
    yield literal
