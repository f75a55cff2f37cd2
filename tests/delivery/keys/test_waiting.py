"""A relay that wants a mail to wait does not make others wait for its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from prefect_smtp_relay import send_an_email, send_emails
from prefect_smtp_relay.delivery import hold
from prefect_smtp_relay.delivery import keys as idempotency
from prefect_smtp_relay.delivery.keys import claiming
from prefect_smtp_relay.delivery.receipt_storage import Record
from prefect_smtp_relay.delivery.routing import Origin
from prefect_smtp_relay.exceptions import EmailError, TransientFailure
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.testing.memory import InMemoryTransport
from tests.delivery.keys.keyed_flows import KEY

SEED = Origin().of_key(KEY).seed
MAIL: dict[str, Any] = {
    "to": "bob@example.org",
    "subject": "s",
    "body": "b",
    "from_": "ops@example.com",
}
DRAFT = compose("bob@example.org", subject="s", text="t", html="h", idempotency_key=KEY)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Record | EmailError | None]]:
    """What somebody else finds under the key at once, while the mail waits; that ends the wait."""
    seen: list[Record | EmailError | None] = []

    def look(*_: object) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(idempotency, "_LONGEST_WAIT_SECONDS", 0.0)
            with claiming([DRAFT]) as [claim]:
                seen.append(claim.found)
        hold.forget(SEED)

    monkeypatch.setattr(hold, "wait_until", look)
    error = TransientFailure("memory:")
    error.relay, error.retry_after = "memory:", 60.0
    hold.note(SEED, error)
    yield seen
    hold.forget(SEED)


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
    """Keys share locks, so a mail that waits for its relay holds none, alone or among many."""
    relay = InMemoryTransport()
    send(relay)
    assert found == [None]
    assert len(relay.deliveries) == 1
