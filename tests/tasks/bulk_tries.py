"""Tries of many mails: what the server answers, and what is left."""

from __future__ import annotations

from collections import Counter

import pytest
from prefect import flow

from prefect_smtp_relay import Receipt, send_emails
from prefect_smtp_relay.delivery.routing import RelayInput, open_outbox
from prefect_smtp_relay.exceptions import MailsNotAccepted
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.tasks.bulk_mails import Mails

LATER = "451 4.3.0 later"
NEVER = "554 5.6.0 no"


class Script:
    """A mail server that answers each message by its place among those it has seen.

    Args:
        server: it is given the replies.
        replies: of the first, second ... new Message-ID that is offered, for as many tries.
    """

    def __init__(self, server: MailServer, *replies: list[str]) -> None:
        self.offered: Counter[str] = Counter()
        self._replies = [list(lines) for lines in replies]
        self._by_id: dict[str, list[str]] = {}
        server.data_reply = self._reply

    def _reply(self, mail_id: str) -> str | None:
        self.offered[mail_id] += 1
        if mail_id not in self._by_id:
            self._by_id[mail_id] = self._replies.pop(0) if self._replies else []
        replies = self._by_id[mail_id]
        return replies.pop(0) if replies else None


def send(mails: Mails, relay: RelayInput = None, retries: int = 2) -> list[Receipt]:
    """Send from a flow over one connection, with no pause between the tries."""
    action = send_emails.with_options(retries=retries, retry_delay_seconds=0)

    @flow
    def notify() -> list[Receipt]:
        return action(mails, relay=relay, connections=1)

    return notify()


def send_in_vain(mails: Mails, relay: RelayInput = None, retries: int = 2) -> MailsNotAccepted:
    """Send, and give the error."""
    with pytest.raises(MailsNotAccepted) as caught:
        send(mails, relay, retries)
    return caught.value


def stored_ids() -> list[str]:
    """The Message-IDs in the outbox."""
    return [mail.message_id for mail in open_outbox(current_settings()).entries()]
