"""Reads back what `render_mime` wrote: the same message, its files as bytes.

The standard library parses the MIME structure and the transfer encodings. Its richer policies
are not used: they normalise what they read, and the fields must come back as they were written.
"""

from __future__ import annotations

from email import message_from_string
from email.errors import HeaderParseError
from email.message import Message as Part
from email.policy import compat32
from email.utils import parsedate_to_datetime
from typing import Any

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.mail.attachments.attachment import Attachment
from prefect_smtp_relay.mail.attachments.media_type import with_parameters
from prefect_smtp_relay.mail.encoded_words import decode_words
from prefect_smtp_relay.mail.headers.fields import RESERVED, HeaderFields
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.flowed import unstuff

_NOBODY_SHOWN = "undisclosed-recipients:;"


def read_message(data: bytes, bcc: tuple[Mailbox, ...] = ()) -> Message:
    """Read a message that `render_mime` rendered.

    Args:
        data: the whole text, with CRLF line ends.
        bcc: the Bcc recipients, which no header names.

    Returns:
        The message: rendered again it gives the same bytes. Its bodies have LF line ends;
        ``requested_from`` and ``reverse_path`` are None, for no header says who chose them.

    Raises:
        MessageError: this is not a message as `render_mime` writes it.
    """
    try:
        # As text, not as bytes: raw UTF-8 in a field (RFC 6532) then stays what it is.
        root = message_from_string(data.decode(), policy=compat32)
        message = _message(root, bcc)
        _refuse_defects(root)
    except (ValueError, LookupError, HeaderParseError) as error:
        raise MessageError(f"the stored message cannot be read back: {error}") from error
    return message


def _message(root: Part, bcc: tuple[Mailbox, ...]) -> Message:
    body, attachments = _split(root, "multipart/mixed")
    body, images = _split(body, "multipart/related")
    plain, alternatives = _split(body, "multipart/alternative")
    html = [part for part in alternatives if part.get_content_type() == "text/html"]
    if plain.get_content_type() != "text/plain" or len(html) > 1:
        raise ValueError("its body is not a text, with or without HTML")
    flowed = plain.get_param("format") == "flowed"
    files = [part for part in alternatives if part not in html] + attachments
    return Message(
        from_=_mailboxes(root, "From")[0],
        sender=next(iter(_mailboxes(root, "Sender")), None),
        reply_to=_mailboxes(root, "Reply-To"),
        to=_mailboxes(root, "To"),
        cc=_mailboxes(root, "Cc"),
        bcc=bcc,
        subject=decode_words(_field(root, "Subject")),
        date=parsedate_to_datetime(_field(root, "Date")),
        message_id=_field(root, "Message-ID"),
        headers=_free_headers(root),
        text=unstuff(_text(plain)) if flowed else _text(plain),
        html="".join(map(_text, html)),
        flowed=flowed,
        inline_images=tuple(map(_file, images)),
        attachments=tuple(map(_file, files)),
    )


def _refuse_defects(root: Part) -> None:
    """Refuse what the parser forgave: a missing end, or base64 with a hole in it."""
    for part in root.walk():
        if part.defects:
            raise ValueError(type(part.defects[0]).__name__)


def _split(part: Part, media_type: str) -> tuple[Part, list[Part]]:
    """Separate the first part from the others, where there are parts of this kind."""
    if part.get_content_type() != media_type:
        return part, []
    payload: Any = part.get_payload()
    if not isinstance(payload, list):
        raise ValueError(f"{media_type} without parts")
    first, *others = payload
    return first, others


def _field(part: Part, name: str) -> str:
    """Return a field's text, unfolded (RFC 5322, section 2.2.3)."""
    value: str | None = part.get(name)
    if value is None:
        raise ValueError(f"it has no {name}")
    return value.replace("\r\n", "").strip(" \t")


def _free_headers(root: Part) -> HeaderFields:
    written_by_us = RESERVED | {"sender", "content-type", "content-transfer-encoding"}
    names = [name for name in root.keys() if name.lower() not in written_by_us]  # noqa: SIM118 - a Part iterates over numbers
    return tuple((name, decode_words(_field(root, name))) for name in names)


def _mailboxes(root: Part, name: str) -> tuple[Mailbox, ...]:
    if name not in root or (written := _field(root, name)) == _NOBODY_SHOWN:
        return ()
    return Mailbox.parse_list(written, name)


def _text(part: Part) -> str:
    _field(part, "Content-Transfer-Encoding")  # a header that was cut off looks like a plain text
    return _bytes(part).decode().replace("\r\n", "\n")


def _bytes(part: Part) -> bytes:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        raise ValueError(f"a {part.get_content_type()} is where a body or a file should be")
    return data


def _file(part: Part) -> Attachment:
    kind, *parameters = part.get_params([("application/octet-stream", "")])
    return Attachment(
        _bytes(part),
        name=_file_name(part),
        media_type=with_parameters(kind[0], [p for p in parameters if p[0].lower() != "name"]),
        content_id=part.get("Content-ID", "").removeprefix("<").removesuffix(">"),
    )


def _file_name(part: Part) -> str:
    """Return the name as it was: ``get_filename`` would strip spaces and quotation marks."""
    name = part.get_param("filename", None, "Content-Disposition")
    if isinstance(name, tuple):
        charset, _, text = name
        return text.encode("latin-1").decode(charset or "ascii")
    return (
        decode_words(str(part.get_param("name", "")).replace("\r\n", "")) if name is None else name
    )
