"""A relay that wants a mail to wait does not make others wait for its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from prefect_smtp_relay import send_an_email, send_emails
from prefect_smtp_relay.delivery import keys, pacing
from prefect_smtp_relay.delivery.identity import seed_of_key
from prefect_smtp_relay.delivery.keys import claiming
from prefect_smtp_relay.delivery.receipt_storage import Record
from prefect_smtp_relay.delivery.retry_state import RetryState, retry_states
from prefect_smtp_relay.exceptions import EmailError, TransientFailure
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.testing.memory import InMemoryTransport
from prefect_smtp_relay.transports.waiting import Clock
from tests.clock import FastClock
from tests.delivery.keys.keyed_flows import KEY

SEED = seed_of_key(KEY)
MAIL: dict[str, Any] = {
    "to": "bob@example.org",
    "subject": "s",
    "body": "b",
    "from_": "ops@example.com",
}
DRAFT = compose("bob@example.org", subject="s", text="t", html="h", idempotency_key=KEY)


class LookingClock(FastClock):
    """A clock that looks, while the mail waits, what somebody else finds under its key."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.seen: list[Record | EmailError | None] = []
        self._monkeypatch = monkeypatch

    def sleep(self, seconds: float) -> None:
        """Look once, at the first sleep."""
        if not self.slept:
            with self._monkeypatch.context() as patch:
                patch.setattr(keys, "_MAX_WAIT_SECONDS", 0.0)
                with claiming([DRAFT]) as [claim]:
                    self.seen.append(claim.found)
        super().sleep(seconds)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Record | EmailError | None]]:
    """What somebody else finds under the key at once, while the mail waits."""
    clock = LookingClock(monkeypatch)
    process_memory.put(Clock, clock)
    error = TransientFailure("memory:", retry_after=60.0).copy(relay="memory:")
    retry_states().note(SEED, RetryState(error=error, not_before=pacing.not_before(error)))
    yield clock.seen
    process_memory.put(Clock, Clock())
    retry_states().forget(SEED)


@pytest.mark.parametrize(
    "send",
    [
        lambda relay: send_an_email.fn(**MAIL, idempotency_key=KEY, relay=relay),
        lambda relay: send_emails.fn([{**MAIL, "idempotency_key": KEY}], relay=relay),
    ],
)
def test_the_key_is_free_while_its_mail_waits(
    found: list[Record | EmailError | None], send: Callable[[InMemoryTransport], object]
) -> None:
    """Keys share locks, so a mail that waits for its relay claims none, alone or among many."""
    relay = InMemoryTransport()
    send(relay)
    assert found == [None]
    assert len(relay.deliveries) == 1
