"""How far a long batch is."""

from __future__ import annotations

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient

from prefect_smtp_relay import Receipt, send_emails
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.testing.memory import InMemoryTransport
from prefect_smtp_relay.transports.waiting import clock
from tests.clock import FastClock
from tests.tasks.bulk_mails import mails_to


class Slow(InMemoryTransport):
    """Takes some seconds for each message."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Take the message, in the time of the clock."""
        clock().sleep(self._seconds)
        return super().deliver(message, envelope)


@flow
def tell(count: int, seconds: float) -> list[Receipt]:
    """Send so many mails, of which each takes so long."""
    mails = mails_to(count, from_="ops@example.org")
    return send_emails(mails, relay=Slow(seconds), connections=1)


def progress(client: SyncPrefectClient) -> list[tuple[object, object]]:
    """Each progress artifact: how far it is, and its text."""
    found = [each for each in client.read_artifacts() if each.type == "progress"]
    return [(each.data, each.description) for each in found]


def test_a_long_batch_tells_how_far_it_is(
    client: SyncPrefectClient, caplog: pytest.LogCaptureFixture, fast_clock: FastClock
) -> None:
    """Every few seconds there is a line in the log; one artifact is kept up to date."""
    del fast_clock
    before = progress(client)
    tell(8, 2.0)
    lines = [r.getMessage() for r in caplog.records if r.name == "prefect.task_runs"]
    assert [line for line in lines if line.endswith("mails are done.")] == [
        "3 of 8 mails are done.",
        "6 of 8 mails are done.",
        "8 of 8 mails are done.",
    ]
    assert progress(client) == [*before, (100.0, "8 of 8 mails are done.")]


def test_the_end_is_told_once(caplog: pytest.LogCaptureFixture, fast_clock: FastClock) -> None:
    """Where the last mail was told of as it came, there is no second line."""
    del fast_clock
    tell(2, 6.0)
    lines = [r.getMessage() for r in caplog.records if r.name == "prefect.task_runs"]
    told = [line for line in lines if line.endswith("mails are done.")]
    assert told == ["1 of 2 mails are done.", "2 of 2 mails are done."]


def test_a_quick_batch_says_nothing(client: SyncPrefectClient, fast_clock: FastClock) -> None:
    """What ends within some seconds costs no request."""
    del fast_clock
    before = progress(client)
    tell(8, 0.1)
    assert progress(client) == before
