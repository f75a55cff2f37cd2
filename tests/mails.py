"""What the tests read from a mail that arrived."""

from __future__ import annotations

from prefect_smtp_relay.testing.mail_server import MailServer, ReceivedMail


def only_mail(server: MailServer) -> ReceivedMail:
    """The one mail that arrived."""
    assert len(server.mails) == 1
    return server.mails[0]


def text_of(mail: ReceivedMail) -> str:
    """The plain text of a mail."""
    part = mail.message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(mail: ReceivedMail) -> str:
    """The HTML of a mail."""
    part = mail.message.get_body(("html",))
    assert part is not None
    return str(part.get_content())
