"""What SendGrid cannot express, refused before any I/O.

Sources: the v3 Mail Send reference, its pages "Limitations" and "Errors", and the docstring of
``sendgrid.helpers.mail.Header``. Two more limits cannot be passed here: custom arguments have
10,000 bytes, our one holds a Message-ID; and header names are ASCII and unique, as `compose`
takes no others. SendGrid names no limit for all headers together.
"""

from __future__ import annotations

from prefect_smtp_relay.exceptions import MessageTooLarge, UnsupportedFeature
from prefect_smtp_relay.mail.categories import check_count
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Refusal

MAX_RECIPIENTS = 1000
"""Of one request: to, cc and bcc together."""

MAX_BYTES = 30 * 1024 * 1024
"""SendGrid says "30MB"; read the larger way, so that nothing it would take is refused here."""

RESERVED_HEADERS = frozenset(
    {
        *("x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type"),
        *("content-transfer-encoding", "to", "from", "subject", "reply-to", "cc", "bcc"),
    }
)


_NOT_ASCII = Refusal(
    code=553,
    enhanced_code="5.6.7",  # RFC 6531, section 3.5
    text="SendGrid takes only ASCII before the @. Use an ASCII address, or an SMTP relay with"
    " SMTPUTF8.",
)


def refuse_recipients(envelope: Envelope) -> tuple[Envelope, dict[str, Refusal]]:
    """Refuse the recipients whom SendGrid cannot name, where others are left, so that these get it.

    Returns:
        The envelope of the others, and the refusals.
    """
    refused = {m.address: _NOT_ASCII for m in envelope.forward_paths if m.needs_smtputf8}
    others = [m.address for m in envelope.forward_paths if m.address not in refused]
    return (envelope.only_for(others), refused) if others else (envelope, {})


def refuse_unsupported(message: Message, envelope: Envelope) -> None:
    """Refuse a message that would come out of SendGrid as another one.

    Raises:
        UnsupportedFeature: naming the argument and the way out.
        MessageTooLarge: the files alone are more than SendGrid takes.
    """
    _check_sender(message)
    _check_local_parts(message, envelope)
    _check_headers(message)
    _check_content(message)
    _check_files(message)


def join_categories(block: tuple[str, ...], message: tuple[str, ...]) -> tuple[str, ...]:
    """Put the categories of the block before those of the message, each once."""
    joined = tuple(dict.fromkeys(block + message))
    check_count(len(joined), " with those of the SendGrid block" if block else "")
    return joined


def check_size(size: int) -> None:
    """Refuse a request body that is too large."""
    if size > MAX_BYTES:
        raise MessageTooLarge(
            f"the request has {size} bytes, files in base64 included; SendGrid takes 30 MB"
            f" ({MAX_BYTES} bytes)",
            "Attach less, or link to the files.",
            field="attachments",
        )


def _check_sender(message: Message) -> None:
    if message.sender and message.sender.address.lower() != message.from_.address.lower():
        raise UnsupportedFeature(
            "SendGrid has no Sender field beside From",
            "Leave it out, or deliver through SMTP.",
            field="headers['Sender']",
        )
    if message.reverse_path:
        raise UnsupportedFeature(
            "SendGrid takes the non-delivery reports itself, and lists them in its suppressions",
            "Leave it out, or deliver through SMTP.",
            field="reverse_path",
        )


def _check_local_parts(message: Message, envelope: Envelope) -> None:
    for mailbox in (message.from_, *message.reply_to, *envelope.forward_paths):
        if mailbox.needs_smtputf8:
            raise UnsupportedFeature(
                "SendGrid takes only ASCII before the @",
                "Use an ASCII address, or an SMTP relay with SMTPUTF8.",
                field=mailbox.address,
            )


def _check_headers(message: Message) -> None:
    for name, _ in message.headers:
        if name.lower() in RESERVED_HEADERS:
            raise UnsupportedFeature(
                f"SendGrid sets {name} by itself and refuses it",
                "Leave it out.",
                field="headers",
            )


def _check_content(message: Message) -> None:
    for field, is_there in (("subject", message.subject), ("body", message.text or message.html)):
        if not is_there:
            raise UnsupportedFeature(
                "is empty, and SendGrid takes no mail without it", "Write one.", field=field
            )


def _check_files(message: Message) -> None:
    """Before they are read: they are in memory as a whole once the request is built."""
    files = (*message.attachments, *message.inline_images)
    for file in files:
        if not file.size:
            raise UnsupportedFeature(
                f"{file.name!r} is empty, and SendGrid takes no empty file",
                "Leave it out, or deliver through SMTP.",
                field="inline_images" if file.content_id else "attachments",
            )
    check_size(sum((file.size + 2) // 3 * 4 for file in files))
