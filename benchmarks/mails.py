"""What is submitted: mails that differ, each as plain values that the contestants build from."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose

DOMAIN = "bench.test"
SENDER = f"flows@{DOMAIN}"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Mail:
    """One mail before it is built.

    Args:
        subject, text, html: its content.
        recipients: their addresses.
        attachment: a file, or None.
    """

    subject: str
    text: str
    html: str
    recipients: tuple[str, ...]
    attachment: Path | None = None

    def as_message(self) -> tuple[Message, Envelope]:
        """Build it as this package does."""
        draft = compose(
            list(self.recipients),
            self.subject,
            text=self.text,
            html=self.html,
            attachments=[self.attachment] if self.attachment else None,
        )
        message = draft.from_mailbox(Mailbox.parse(SENDER))
        return message, Envelope.of(message)

    def as_email_message(self) -> EmailMessage:
        """Build it with the standard library; no attachment."""
        message = EmailMessage()
        message["From"] = SENDER
        message["To"] = ", ".join(self.recipients)
        message["Subject"] = self.subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=DOMAIN)
        message.set_content(self.text)
        message.add_alternative(self.html, subtype="html")
        return message


def distinct_mails(
    count: int, recipients: int = 1, attachment: Path | None = None, lines: int = 12
) -> Sequence[Mail]:
    """Make mails that no two of are alike.

    Args:
        count: how many.
        recipients: of each.
        attachment: a file for each.
        lines: of each text.
    """
    addresses = tuple(f"on-call-{number}@{DOMAIN}" for number in range(recipients))
    return [_mail(next(_numbers), addresses, attachment, lines) for _ in range(count)]


def _mail(number: int, recipients: tuple[str, ...], attachment: Path | None, count: int) -> Mail:
    subject = f"INC-{number}: the nightly load of warehouse {number} failed"
    lines = [f"Step {step} of run {number} took {step * number % 97} s" for step in range(count)]
    rows = "".join(f'<tr><td style="padding: 4px">{line}</td></tr>\n' for line in lines)
    return Mail(
        subject=subject,
        text="\n".join([subject, "", *lines, ""]),
        html=f"<html><body><h1>{subject}</h1>\n<table>\n{rows}</table></body></html>\n",
        recipients=recipients,
        attachment=attachment,
    )
