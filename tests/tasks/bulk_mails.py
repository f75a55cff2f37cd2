"""Lists of mails, and the relay they go through."""

from __future__ import annotations

from typing import Any

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.testing.mail_server import MailServer

Mails = list[dict[str, Any]]


def mails_to(count: int, **arguments: Any) -> Mails:
    """So many mails, each to a person of its own."""
    return [
        {"to": f"user{n}@example.org", "subject": f"Mail {n}", "body": "b", **arguments}
        for n in range(count)
    ]


def connect(server: MailServer, **fields: Any) -> SMTP:
    """Connect a mail server as an SMTP block."""
    values = {"from_address": "ops@example.org", "ssl": False, **fields}
    block = SMTP(address=server.host, port=server.port, **values)
    block.save("main", overwrite=True)
    return block
