"""What all workers together may ask of a relay, with Prefect's own limits."""

from __future__ import annotations

import logging
import re
import uuid
from typing import Any

import anyio
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_smtp_relay import SMTP, asend_an_email, send_an_email, send_emails
from prefect_smtp_relay.delivery.deliver import deliver
from prefect_smtp_relay.delivery.outcome import Outcome
from prefect_smtp_relay.exceptions import (
    MailsNotAccepted,
    RelayConfigurationError,
    RelayLookupFailed,
    TransientFailure,
)
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.runtime import limits
from prefect_smtp_relay.runtime.limits import Busy, Connections, Lease, Limit, Pace
from prefect_smtp_relay.runtime.run import Run
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.waiting import Clock
from tests.clock import FastClock
from tests.counted_requests import counting_requests
from tests.tasks.bulk_mails import connect, mails_to
from tests.transports.smtp.scripted_server import ScriptedServer

MESSAGES, CONNECTIONS = "smtp-relay.smtp.main.messages", "smtp-relay.smtp.main.connections"
LOOK_UP = "POST /api/block_documents/filter"
INCREMENT = "POST /api/v2/concurrency_limits/increment"


@pytest.fixture(autouse=True)
def _no_limits(client: SyncPrefectClient) -> None:
    """Delete every limit, and forget what earlier tests remembered."""
    process_memory.reset()
    for row in client.read_global_concurrency_limits():
        client.delete_global_concurrency_limit_by_name(row.name)


def send_one() -> None:
    """Send a mail, with one try."""
    send_an_email.fn("ann@example.org", "s", "b")


def outcome_within(seconds: float) -> Outcome:
    """Deliver a mail that waits so long at most."""
    draft = compose("ann@example.org", subject="s", text="t", html="", from_="a@example.org")
    return deliver([draft], None, Run(), current_settings(), patience=seconds, keeps=False)[0]


def test_one_mail_costs_one_request_more(mail_server: MailServer) -> None:
    """The limit that exists is asked once for a mail, and not at all where the block has none."""
    connect(mail_server, messages_per_minute=6000)
    send_one()
    with counting_requests() as seen:
        send_one()
    assert seen == [LOOK_UP, INCREMENT]
    connect(mail_server)
    with counting_requests() as seen:
        send_one()
    assert seen == [LOOK_UP]


def test_mails_of_a_batch_share_requests(mail_server: MailServer) -> None:
    """A hundredth of a minute's messages goes with one request."""
    connect(mail_server, messages_per_minute=6000)
    send_one()
    with counting_requests() as seen:
        send_emails.fn(mails_to(60))
    assert seen == [LOOK_UP, INCREMENT]
    assert len(mail_server.mails) == 61


def test_the_limit_follows_the_block(mail_server: MailServer, client: SyncPrefectClient) -> None:
    """The first mail creates it, and the first one after a change writes it anew."""
    for per_minute in (600, 60, 6000):
        connect(mail_server, messages_per_minute=per_minute)
        send_one()
        row = client.read_global_concurrency_limit_by_name(MESSAGES)
        assert row.limit == 100 + 2 * per_minute
        assert row.slot_decay_per_second == pytest.approx(0.97 * 100 * per_minute / 60)


def test_a_batch_waits_for_its_turns(
    mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What is more than may go at once follows within the try; the log says how long it takes."""
    caplog.set_level(logging.INFO)
    connect(mail_server, messages_per_minute=120)
    receipts = send_emails.fn(mails_to(6))
    assert len(mail_server.mails) == len(receipts) == 6
    told = r"smtp/main takes 120 messages a minute from all workers together: \d are waiting here,"
    assert re.search(f"{told} which takes [12] seconds or more.", caplog.text)


def test_the_wait_is_bounded(mail_server: MailServer, fast_clock: FastClock) -> None:
    """Afterwards the mail fails for now, and the text says what to change."""
    connect(mail_server, messages_per_minute=1)
    assert outcome_within(20).receipt
    error = outcome_within(20).error
    assert isinstance(error, TransientFailure)
    assert "more than 1 messages a minute" in str(error)
    assert "raise *Advanced: Messages per minute* (`messages_per_minute`)" in str(error)
    assert not error.nothing_handed_over
    assert 15 < fast_clock.now() <= 20
    assert len(mail_server.mails) == 1


def test_a_signal_ends_the_wait(mail_server: MailServer) -> None:
    """The run is not kept waiting, and nothing is submitted."""

    class Interrupted(Clock):
        def sleep(self, seconds: float) -> None:
            raise KeyboardInterrupt(f"while it waited {seconds} seconds")

    connect(mail_server, messages_per_minute=1)
    send_one()
    process_memory.put(Clock, Interrupted())
    with pytest.raises(KeyboardInterrupt):
        send_one()
    assert len(mail_server.mails) == 1


def test_a_cancellation_ends_the_wait(mail_server: MailServer) -> None:
    """An async caller that is cancelled does not wait for its turn, and nothing is submitted."""

    async def cancelled() -> bool:
        with anyio.move_on_after(0.5) as scope:
            await asend_an_email.fn("ann@example.org", "s", "b")
        return scope.cancelled_caught

    connect(mail_server, messages_per_minute=1)
    send_one()
    assert anyio.run(cancelled)
    assert len(mail_server.mails) == 1


def test_a_limit_that_is_switched_off_does_not_hold(
    mail_server: MailServer, client: SyncPrefectClient
) -> None:
    """Who switches it off in Prefect, in a hurry, is obeyed."""
    connect(mail_server, messages_per_minute=1)
    send_one()
    client.update_global_concurrency_limit(MESSAGES, GlobalConcurrencyLimitUpdate(active=False))
    send_one()
    assert len(mail_server.mails) == 2


def test_an_api_that_cannot_be_asked_grants_nothing() -> None:
    """Pacing does not end with the server."""
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(RelayLookupFailed, match=f"could not grant slots of the limit {MESSAGES}"),
    ):
        Pace(MESSAGES, 60).take(1)


def test_a_relay_that_is_down_is_asked_once(client: SyncPrefectClient) -> None:
    """The other mails of the batch take no slots, and meet the same error."""
    with ScriptedServer("S: 421 4.3.2 not now") as server:
        SMTP(address=server.host, port=server.port, ssl=False, messages_per_minute=600).save("main")
        with pytest.raises(MailsNotAccepted) as caught:
            send_emails.fn(mails_to(20, from_="a@example.org"), connections=1)
        assert server.connections == 1
    assert len(caught.value.errors) == 20
    assert client.read_global_concurrency_limit_by_name(MESSAGES).active_slots <= 600


def test_a_batch_fails_over_from_a_relay_with_limits(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first group finds the relay down; all mails go to the next one, which has none."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_FAILOVER", "true")
    connect(mail_server)
    with ScriptedServer("S: 421 4.3.2 not now") as server:
        first = SMTP(
            address=server.host, port=server.port, ssl=False, priority=1, messages_per_minute=600
        )
        first.save("first")
        receipts = send_emails.fn(mails_to(20, from_="a@example.org"), connections=1)
        assert server.connections == 1
    assert {receipt.relay for receipt in receipts} == {"smtp/main"}
    assert len(mail_server.mails) == 20


def test_a_block_that_is_not_saved_has_no_limits_for_others(mail_server: MailServer) -> None:
    """Nobody else could know them, so it is an error that says what to do."""
    block = SMTP(address=mail_server.host, port=mail_server.port, ssl=False, max_connections=1)
    with pytest.raises(RelayConfigurationError, match="Save the block"):
        send_an_email.fn("ann@example.org", "s", "b", relay=block, from_="a@example.org")


def test_connections_are_counted_and_given_back(
    mail_server: MailServer, client: SyncPrefectClient
) -> None:
    """Each ends with its mail or its batch; more are not opened than all together may have."""
    connect(mail_server, max_connections=1)
    send_one()
    send_emails.fn(mails_to(10), connections=5)
    assert mail_server.connections == 2
    assert client.read_global_concurrency_limit_by_name(CONNECTIONS).active_slots == 0


def test_connections_of_others_are_waited_for(
    mail_server: MailServer, client: SyncPrefectClient, fast_clock: FastClock
) -> None:
    """A mail fails for now where they are in use all the time, and goes once they are not."""
    connect(mail_server, max_connections=2)
    others = Connections(CONNECTIONS, 2).take(2)
    error = outcome_within(30).error
    assert isinstance(error, TransientFailure)
    assert "raise *Advanced: Most connections* (`max_connections`)" in str(error)
    assert fast_clock.now() > 20
    others.give_back()
    assert outcome_within(30).receipt
    assert client.read_global_concurrency_limit_by_name(CONNECTIONS).active_slots == 0


def test_slots_whose_owners_died_with_the_server_are_freed(
    client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that was started anew knows no leases; nobody touches the row any more."""
    Connections(CONNECTIONS, 1).take(1)
    with pytest.raises(Busy):
        Connections(CONNECTIONS, 1).take(1)
    assert client.read_global_concurrency_limit_by_name(CONNECTIONS).active_slots == 1
    monkeypatch.setattr(limits, "_UNTOUCHED_SECONDS", 0.0)
    with pytest.raises(Busy):
        Connections(CONNECTIONS, 1).take(1)
    assert Connections(CONNECTIONS, 1).take(1).slots == 1


def test_slots_of_a_lease_that_the_server_forgot(client: SyncPrefectClient) -> None:
    """They are given back all the same."""
    Connections(CONNECTIONS, 3).take(2)
    forgotten: dict[str, Any] = {"lease_id": str(uuid.uuid4()), "slots": 2}
    Lease(Limit(CONNECTIONS, 3), **forgotten).give_back()
    assert client.read_global_concurrency_limit_by_name(CONNECTIONS).active_slots == 0
