"""A mail through SendGrid and the same mail over SMTP say the same to those who get it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import asdict, dataclass
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import Any

import pytest

from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.sendgrid import SendGridTransport
from prefect_smtp_relay.transports.smtp import Security, SmtpConfig, SmtpTransport

from .api_server import ApiServer

MakeMessage = Callable[..., Message]
Mailboxes = list[tuple[str, str]]
PNG = b"\x89PNG\r\n\x1a\n"
OURS = {"message-id", "auto-submitted", "in-reply-to", "references", "importance"}


@dataclass
class Mail:
    """What a recipient can tell of a mail; the Date is left out, which SendGrid writes."""

    sender: Mailboxes
    to: Mailboxes
    cc: Mailboxes
    reply_to: Mailboxes
    subject: str
    headers: dict[str, str]
    bodies: list[tuple[str, str]]
    files: list[tuple[str, str, str, str, bytes]]


def _is_shown(name: str) -> bool:
    return name.lower() in OURS or name.lower().startswith("x-")


def _over_smtp(message: EmailMessage) -> Mail:
    def mailboxes(name: str) -> Mailboxes:
        field = message[name]
        return [(m.display_name, m.addr_spec) for m in field.addresses] if field else []

    parts = [part for part in message.walk() if not part.is_multipart()]
    bodies = [p for p in parts if not p.get_filename()]
    files = [p for p in parts if p.get_filename()]
    return Mail(
        sender=mailboxes("From"),
        to=mailboxes("To"),
        cc=mailboxes("Cc"),
        reply_to=mailboxes("Reply-To"),
        subject=message["Subject"],
        headers={n: str(value) for n, value in message.items() if _is_shown(n)},
        bodies=[(p.get_content_type(), _text(p)) for p in bodies],
        files=sorted(map(_file, files)),
    )


def _text(part: EmailMessage) -> str:
    content: str = part.get_content()
    return content.replace("\r\n", "\n").rstrip("\n")


def _file(part: EmailMessage) -> tuple[str, str, str, str, bytes]:
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return (
        part.get_filename() or "",
        part.get_content_type(),
        part.get_content_disposition() or "",
        str(part.get("Content-ID", "")).strip("<>"),
        data,
    )


def _through_sendgrid(payload: dict[str, Any]) -> Mail:
    def mailboxes(values: list[dict[str, str]]) -> Mailboxes:
        return [(value.get("name", "").strip('"'), value["email"]) for value in values]

    (shown,) = payload["personalizations"]
    answers_to = payload.get("reply_to_list", [payload[n] for n in ["reply_to"] if n in payload])
    return Mail(
        sender=mailboxes([payload["from"]]),
        to=mailboxes(shown["to"]),
        cc=mailboxes(shown.get("cc", [])),
        reply_to=mailboxes(answers_to),
        subject=payload["subject"],
        headers={n: str(make_header(decode_header(v))) for n, v in payload["headers"].items()},
        bodies=[(part["type"], part["value"].rstrip("\n")) for part in payload["content"]],
        files=sorted(
            (
                f["filename"],
                f["type"],
                f["disposition"],
                f.get("content_id", ""),
                b64decode(f["content"]),
            )
            for f in payload.get("attachments", [])
        ),
    )


MAILS: dict[str, dict[str, Any]] = {
    "plain": {},
    "many recipients": {
        "to": "Ann <ann@example.org>, bob@example.org",
        "cc": '"Doe, Cleo" <cleo@example.org>, dan@example.org',
        "bcc": "eve@example.org",
        "reply_to": "Desk <desk@example.com>, ops@example.com",
        "from_": '"Ops, Night" <ops@example.com>',
    },
    "letters of all kinds": {
        "to": "Zoë Größe <zoe@bücher.example>",
        "from_": "障害 <ops@example.com>",
        "subject": "Größe 線 🔥 " + "lang " * 40,
        "text": "Grüße\n.\n..\n線🔥" + "x" * 2000,
        "html": "<p>Grüße 線🔥</p>\n" + "<b>x</b>" * 500,
        "headers": {"X-Note": "Grüße 線 " * 20, "X-Empty": "", "X-Raw": "=?utf-8?q?x?="},
    },
    "a thread with headers": {
        "thread": "INC-42",
        "headers": {"X-Incident": "INC-42", "Importance": "high"},
    },
    "files": {
        "attachments": [
            ("log.txt", b"line\r\n" * 50),
            ("Größe; a, b.pdf", b"%PDF" * 100, "application/pdf"),
        ],
        "inline_images": {"graph": ("graph.png", PNG), "logo@x": ("logo.gif", b"GIF8")},
        "html": '<img src="cid:graph">',
    },
}


@pytest.mark.parametrize("name", MAILS)
def test_the_same_mail_arrives(
    api: ApiServer,
    make_message: MakeMessage,
    make_transport: Callable[..., SendGridTransport],
    name: str,
) -> None:
    """Sender, recipients, subject, headers, bodies and files are those of the mail over SMTP."""
    message = make_message(**MAILS[name])
    envelope = Envelope.of(message)
    with MailServer() as server:
        transport = SmtpTransport(SmtpConfig(server.host, server.port, Security.PLAIN_TEXT))
        transport.deliver(message, envelope)
        (arrived,) = server.mails
    make_transport().deliver(message, envelope)
    (request,) = api.requests
    through = _through_sendgrid(request.payload)
    over = _over_smtp(arrived.message)
    assert asdict(through) == asdict(over)
