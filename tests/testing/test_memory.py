"""The transport that keeps what it takes."""

from __future__ import annotations

import pytest

from prefect_smtp_relay.exceptions import RecipientsRefused, TimedOut
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.mail.receipt import Refusal
from prefect_smtp_relay.testing.memory import InMemoryTransport

NOBODY = Refusal(code=550, enhanced_code="5.1.1", text="no such user")


@pytest.fixture
def message() -> Message:
    """A message to Ann and, blind, to Eve."""
    draft = compose("ann@example.org", "Build 7", text="a", html="b", bcc="eve@example.org")
    return draft.from_mailbox(Mailbox.parse("flows@example.org"))


def test_it_keeps_what_it_takes(message: Message) -> None:
    """A delivery is kept with its message, its envelope, and who was accepted."""
    transport = InMemoryTransport()
    envelope = Envelope.of(message)
    transport.deliver(message, envelope)
    (delivery,) = transport.deliveries
    assert (delivery.message, delivery.envelope) == (message, envelope)
    assert delivery.accepted == ("ann@example.org", "eve@example.org")


def test_some_can_be_refused(message: Message) -> None:
    """A refused address is in the receipt, and the others are accepted."""
    transport = InMemoryTransport(refused={"ann@example.org": NOBODY})
    receipt = transport.deliver(message, Envelope.of(message))
    assert receipt.refused == {"ann@example.org": NOBODY}
    assert transport.deliveries[0].accepted == ("eve@example.org",)


def test_all_can_be_refused(message: Message) -> None:
    """Where nobody is left, nothing is kept, and the error hides Bcc."""
    transport = InMemoryTransport(refused={"ann@example.org": NOBODY, "eve@example.org": NOBODY})
    with pytest.raises(RecipientsRefused) as caught:
        transport.deliver(message, Envelope.of(message))
    assert "ann@example.org: 550 5.1.1 no such user" in str(caught.value)
    assert "eve@" not in str(caught.value)
    assert transport.deliveries == []


def test_it_can_fail(message: Message) -> None:
    """The failure is raised until it is taken away."""
    transport = InMemoryTransport(failure=TimedOut("memory:", "as the test wants it."))
    with pytest.raises(TimedOut):
        transport.deliver(message, Envelope.of(message))
    transport.failure = None
    assert transport.deliver(message, Envelope.of(message)).outcome == "accepted"
    assert len(transport.deliveries) == 1
