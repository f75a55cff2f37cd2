"""The JSON of a mail, built with SendGrid's own mail helpers.

Two habits of the helpers are worked around throughout: an `Email` without a name parses its
address as a header would, and every ``add_...`` of `Mail` but ``add_content`` puts the new item
in front of the others.
"""

from __future__ import annotations

import json
from base64 import b64encode
from email.utils import quote
from typing import Any

from sendgrid.helpers import mail as helpers

from prefect_smtp_relay.exceptions import UnsupportedFeature
from prefect_smtp_relay.mail.attachments.attachment import Attachment
from prefect_smtp_relay.mail.attachments.media_type import parameters_of
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.headers.fields import unstructured
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.transports.sendgrid.limits import (
    check_size,
    join_categories,
    refuse_unsupported,
)
from prefect_smtp_relay.transports.sendgrid.recipients import sort_recipients


def render_payload(
    message: Message, envelope: Envelope, *, categories: tuple[str, ...], sandbox_mode: bool
) -> dict[str, Any]:
    """Render a message, whose files are read here, as the body of ``POST /v3/mail/send``.

    It is the same mail as over SMTP, but for the Date, which SendGrid writes, and for ``to`` where
    the message has none (`sort_recipients`). The block's categories come before the message's.

    Raises:
        UnsupportedFeature: SendGrid cannot express it.
        MessageTooLarge: the files alone are too large.
        AttachmentError: a file vanished or changed.
    """
    refuse_unsupported(message, envelope)
    categories = join_categories(categories, message.categories)
    mail = helpers.Mail()
    _set_senders(mail, message)
    _set_recipients(mail, message, envelope)
    _set_content(mail, message)
    _set_headers(mail, message)
    _set_files(mail, message)
    _set_categories(mail, categories)
    _set_sandbox(mail, sandbox_mode)
    payload: dict[str, Any] = mail.get()
    return payload


def encode_payload(payload: dict[str, Any]) -> bytes:
    """Write a payload as JSON, of no more bytes than SendGrid takes."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    check_size(len(body))
    return body


def _set_senders(mail: helpers.Mail, message: Message) -> None:
    mail.from_email = _email(helpers.From, message.from_, message.from_.display_name)
    unique: dict[str, Mailbox] = {}
    for mailbox in message.reply_to:
        unique.setdefault(mailbox.address.lower(), mailbox)
    answers_to = [_email(helpers.ReplyTo, m, m.display_name) for m in unique.values()]
    if len(answers_to) == 1:
        mail.reply_to = answers_to[0]
    elif answers_to:
        mail.reply_to_list = answers_to


def _set_recipients(mail: helpers.Mail, message: Message, envelope: Envelope) -> None:
    for recipients in reversed(sort_recipients(message, envelope)):
        personalization = helpers.Personalization()
        for mailbox in recipients.to:
            personalization.add_to(_recipient(helpers.To, mailbox))
        for mailbox in recipients.cc:
            personalization.add_cc(_recipient(helpers.Cc, mailbox))
        for mailbox in recipients.bcc:
            personalization.add_bcc(_recipient(helpers.Bcc, mailbox))
        # Not at the root, where SendGrid's description of the request wants a text.
        personalization.add_custom_arg(helpers.CustomArg("message_id", message.message_id))
        mail.add_personalization(personalization)


def _set_content(mail: helpers.Mail, message: Message) -> None:
    mail.subject = message.subject
    for media_type, text in (("text/plain", message.text), ("text/html", message.html)):
        if text:
            mail.add_content(_content(media_type, text))
    for file in message.attachments:
        if file.is_invitation:
            mail.add_content(_invitation(file))


def _content(media_type: str, text: str) -> helpers.Content:
    try:
        return helpers.Content(media_type, text)
    except helpers.ApiKeyIncludedException as error:
        raise UnsupportedFeature(
            f"its {media_type} part starts with a SendGrid API key, which SendGrid's library"
            " refuses",
            "Remove the key, and revoke it.",
            field="body",
        ) from error


def _invitation(file: Attachment) -> helpers.Content:
    """A calendar's invitation is a content beside the text (RFC 6047, section 2.4).

    As a file, which has no parameters at SendGrid, it would be one to save and open by hand.
    """
    try:
        text = b"".join(file.chunks()).decode()
    except UnicodeDecodeError as error:
        raise UnsupportedFeature(
            f"the invitation {file.name!r} is not in UTF-8, as SendGrid takes it",
            "Write it in UTF-8.",
            field="attachments",
        ) from error
    method = parameters_of(file.media_type)["method"]
    return _content(f"text/calendar; method={method}", text)


def _set_headers(mail: helpers.Mail, message: Message) -> None:
    fields = (
        ("Message-ID", message.message_id),
        *((name, _encode(name, value)) for name, value in message.headers),
    )
    for name, value in reversed(fields):
        mail.add_header(helpers.Header(name, value))


def _set_files(mail: helpers.Mail, message: Message) -> None:
    for image in reversed(message.inline_images):
        mail.add_attachment(_file(image, "inline"))
    for file in reversed(message.attachments):
        if not file.is_invitation:
            mail.add_attachment(_file(file, "attachment"))


def _set_categories(mail: helpers.Mail, categories: tuple[str, ...]) -> None:
    for category in reversed(categories):
        mail.add_category(helpers.Category(category))


def _set_sandbox(mail: helpers.Mail, sandbox_mode: bool) -> None:
    if sandbox_mode:
        mail.mail_settings = helpers.MailSettings(sandbox_mode=helpers.SandBoxMode(True))


def _recipient(kind: type[helpers.Email], mailbox: Mailbox) -> helpers.Email:
    """SendGrid splits a recipient's name at a comma or semicolon ("Limitations"), unless quoted."""
    name = mailbox.display_name
    return _email(kind, mailbox, f'"{quote(name)}"' if {",", ";"} & set(name) else name)


def _email(kind: type[helpers.Email], mailbox: Mailbox, name: str) -> helpers.Email:
    email = kind()
    email.email, email.name = mailbox.address, name or None
    return email


def _encode(name: str, value: str) -> str:
    """SendGrid wants header values encoded (RFC 2047) where they are not ASCII, and in one line."""
    return unstructured(name, value).replace("\r\n", "").removeprefix(f"{name}:").strip()


def _file(file: Attachment, disposition: str) -> helpers.Attachment:
    """Its media type goes without parameters, which SendGrid refuses."""
    return helpers.Attachment(
        file_content=b64encode(b"".join(file.chunks())).decode("ascii"),
        file_name=file.name,
        file_type=file.content_type,
        disposition=disposition,
        content_id=file.content_id or None,
    )
