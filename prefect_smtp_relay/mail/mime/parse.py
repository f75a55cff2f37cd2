"""Reads back what `render_mime` wrote: the same message, its files as octets.

The standard library parses the MIME structure and the transfer encodings. Its richer policies
are not used: they normalise what they read, and the fields must come back as they were written.
"""

from __future__ import annotations

from email import message_from_string
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message as Part
from email.policy import compat32
from email.utils import parsedate_to_datetime
from typing import Any

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.mail.attachments.attachment import Attachment
from prefect_smtp_relay.mail.headers.fields import RESERVED
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.flowed import unstuff

_NOBODY_SHOWN = "undisclosed-recipients:;"


def read_message(octets: bytes, bcc: tuple[Mailbox, ...] = ()) -> Message:
    """Read a message that `render_mime` rendered.

    Args:
        octets: the whole text, with CRLF line ends.
        bcc: the Bcc recipients, which no header names.

    Returns:
        The message: rendered again it gives the same octets. Its bodies have LF line ends;
        ``requested_from`` is None, for no header says who chose the From.

    Raises:
        MessageError: the octets are not a message as `render_mime` writes it.
    """
    try:
        # As text, not as octets: raw UTF-8 in a field (RFC 6532) then stays what it is.
        root = message_from_string(octets.decode(), policy=compat32)
        message = _message(root, bcc)
        _refuse_defects(root)
    except (ValueError, LookupError, HeaderParseError) as error:
        raise MessageError(f"the stored message cannot be read back: {error}") from error
    return message


def _message(root: Part, bcc: tuple[Mailbox, ...]) -> Message:
    body, attachments = _split(root, "multipart/mixed")
    body, images = _split(body, "multipart/related")
    plain, html = _parts(body, "multipart/alternative")
    flowed = plain.get_param("format") == "flowed"
    return Message(
        from_=_mailboxes(root, "From")[0],
        sender=next(iter(_mailboxes(root, "Sender")), None),
        reply_to=_mailboxes(root, "Reply-To"),
        to=_mailboxes(root, "To"),
        cc=_mailboxes(root, "Cc"),
        bcc=bcc,
        subject=_decoded(_field(root, "Subject")),
        date=parsedate_to_datetime(_field(root, "Date")),
        message_id=_field(root, "Message-ID"),
        headers=_free_headers(root),
        text=unstuff(_text(plain)) if flowed else _text(plain),
        html=_text(html),
        flowed=flowed,
        inline_images=tuple(_file(part) for part in images),
        attachments=tuple(_file(part) for part in attachments),
    )


def _refuse_defects(root: Part) -> None:
    """Refuse what the parser forgave: a missing end, or base64 with a hole in it."""
    for part in root.walk():
        if part.defects:
            raise ValueError(type(part.defects[0]).__name__)


def _split(part: Part, media_type: str) -> tuple[Part, list[Part]]:
    """Part the body from the files, where there are files of this kind."""
    if part.get_content_type() != media_type:
        return part, []
    body, *files = _parts(part, media_type)
    return body, files


def _parts(part: Part, media_type: str) -> list[Part]:
    payload: Any = part.get_payload()
    if part.get_content_type() != media_type or not isinstance(payload, list):
        raise ValueError(f"a part is {part.get_content_type()}, not {media_type}")
    return payload


def _field(part: Part, name: str) -> str:
    """Return a field's text, unfolded (RFC 5322, section 2.2.3)."""
    value: str | None = part.get(name)
    if value is None:
        raise ValueError(f"it has no {name}")
    return value.replace("\r\n", "").strip(" \t")


def _free_headers(root: Part) -> tuple[tuple[str, str], ...]:
    written_by_us = RESERVED | {"sender", "content-type"}
    names = [name for name in root.keys() if name.lower() not in written_by_us]  # noqa: SIM118 - a Part iterates over numbers
    return tuple((name, _decoded(_field(root, name))) for name in names)


def _mailboxes(root: Part, name: str) -> tuple[Mailbox, ...]:
    if name not in root or (written := _field(root, name)) == _NOBODY_SHOWN:
        return ()
    return tuple(
        Mailbox(mailbox.local_part, mailbox.domain, _decoded(mailbox.display_name))
        for mailbox in Mailbox.parse_list(written, name)
    )


def _decoded(text: str) -> str:
    """Decode encoded words (RFC 2047); what is written as plain text never holds one."""
    if "=?" not in text:
        return text
    return "".join(
        piece if isinstance(piece, str) else piece.decode(charset or "ascii")
        for piece, charset in decode_header(text)
    )


def _text(part: Part) -> str:
    return _octets(part).decode().replace("\r\n", "\n")


def _octets(part: Part) -> bytes:
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        raise ValueError(f"a {part.get_content_type()} stands where a body or a file should")
    return octets


def _file(part: Part) -> Attachment:
    return Attachment(
        _octets(part),
        name=_file_name(part),
        media_type=_field(part, "Content-Type").partition(";")[0],
        content_id=part.get("Content-ID", "").removeprefix("<").removesuffix(">"),
    )


def _file_name(part: Part) -> str:
    """Return the name as it was: ``get_filename`` would strip blanks and quotation marks."""
    name = part.get_param("filename", "", "Content-Disposition")
    if isinstance(name, tuple):
        charset, _, text = name
        return text.encode("latin-1").decode(charset or "ascii")
    return name or ""
