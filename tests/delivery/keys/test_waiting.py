"""A relay that wants a mail to wait does not make others wait for its key."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay import send_an_email, send_emails
from prefect_smtp_relay.delivery import pacing
from prefect_smtp_relay.delivery.claim import Claim
from prefect_smtp_relay.delivery.identity import hash_of_key, seed_of_key
from prefect_smtp_relay.delivery.retry_state import RetryState, RetryStates
from prefect_smtp_relay.exceptions import ReceiptLookupFailed, TransientFailure
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.memory import InMemoryTransport
from prefect_smtp_relay.transports.waiting import Clock
from tests.clock import FastClock
from tests.delivery.keys.keyed_flows import KEY, end_leases, records
from tests.delivery.other_process import another_process

SEED = seed_of_key(KEY)
MAIL: dict[str, Any] = {
    "to": "bob@example.org",
    "subject": "s",
    "body": "b",
    "from_": "ops@example.com",
}


class LookingClock(FastClock):
    """A clock that looks, while the mail waits, what is in the spool."""

    def __init__(self, spool: Path) -> None:
        super().__init__()
        self.seen: list[Path] = []
        self._spool = spool

    def sleep(self, seconds: float) -> None:
        """Look, and let the time pass."""
        self.seen += records(self._spool)
        super().sleep(seconds)


@pytest.fixture
def clock(spool: Path) -> Iterator[LookingClock]:
    """A clock that knows of a relay that wants the mail to wait."""
    clock = LookingClock(spool)
    process_memory.put(Clock, clock)
    error = TransientFailure("memory:", retry_after=60.0).copy(relay="memory:")
    process_memory.of(RetryStates).note(
        SEED, RetryState(error=error, not_before=pacing.not_before(error))
    )
    yield clock
    process_memory.put(Clock, Clock())
    process_memory.of(RetryStates).forget(SEED)


@pytest.mark.parametrize(
    "send",
    [
        lambda relay: send_an_email.fn(**MAIL, idempotency_key=KEY, relay=relay),
        lambda relay: send_emails.fn([{**MAIL, "idempotency_key": KEY}], relay=relay),
    ],
)
def test_the_key_is_free_while_its_mail_waits(
    clock: LookingClock, spool: Path, send: Callable[[InMemoryTransport], object]
) -> None:
    """A mail that waits for its relay claims no key, alone or among many."""
    relay = InMemoryTransport()
    send(relay)
    assert sum(clock.slept) == pytest.approx(60)
    assert not clock.seen
    assert len(relay.deliveries) == len(records(spool)) == 1


class EndingClock(FastClock):
    """A clock on which the leases of other processes end while the mail waits."""

    def __init__(self, spool: Path) -> None:
        super().__init__()
        self._spool = spool

    def sleep(self, seconds: float) -> None:
        """End them, and let the time pass."""
        end_leases(self._spool)
        super().sleep(seconds)


def test_a_mail_whose_owner_dies_while_another_waits_is_submitted_once(spool: Path) -> None:
    """Who waits takes the key over, and the mail goes once more: not twice."""
    name = hash_of_key(KEY)
    store = current_settings().open_spool()
    claim = Claim.of(store, f"keys/{name[:2]}/{name}", keeps_unknown=False)
    assert isinstance(claim, Claim)
    with another_process():
        process_memory.put(Clock, EndingClock(spool))
        send_an_email.fn(**MAIL, idempotency_key=KEY, relay=(relay := InMemoryTransport()))
    assert len(relay.deliveries) == 1


def test_a_key_that_is_claimed_for_too_long_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever waits says for whom; after ten minutes it is a transient error that names it."""
    name = hash_of_key(KEY)
    spool = current_settings().open_spool()
    claim = Claim.of(spool, f"keys/{name[:2]}/{name}", keeps_unknown=False)
    assert isinstance(claim, Claim)
    process = f"process {os.getpid()}"
    with another_process():
        process_memory.put(Clock, clock := FastClock())
        with pytest.raises(ReceiptLookupFailed, match=f"{process} has submitted .* for 600 s"):
            send_an_email.fn(**MAIL, idempotency_key=KEY, relay=InMemoryTransport())
    assert sum(clock.slept) == pytest.approx(600, abs=5)
    waits = [r.getMessage() for r in caplog.records if "Waiting for the mail" in r.getMessage()]
    assert len(waits) == 1
    assert process in waits[0]
    claim.release()
