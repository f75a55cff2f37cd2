"""What every transport promises: the same tests for all of them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.render import render_mime
from prefect_smtp_relay.mail.receipt import Receipt

if TYPE_CHECKING:
    from .contract_subjects import Subject

MakeMessage = Callable[..., Message]


@pytest.fixture
def message(make_message: MakeMessage) -> Message:
    """A message with everything that can stand in one."""
    return make_message(
        "Ann <ann@example.org>",
        cc="ben@example.org",
        bcc="Eve <eve@secret.example>",
        attachments=[("report.csv", b"a,b\n1,2\n")],
        inline_images={"logo": b"\x89PNG\r\n\x1a\n"},
        headers={"X-Incident": "42"},
    )


def test_the_name_can_be_logged(subject: Subject) -> None:
    """It says what kind of transport it is and where it goes, and holds no secret."""
    name = subject.transport.name
    assert name.partition(":")[0] in {"smtp", "sendgrid", "outbox", "memory", "capture"}
    assert name.isprintable()
    assert "canary" not in name
    assert "canary" not in repr(subject.transport)


def test_the_receipt(subject: Subject, message: Message) -> None:
    """It has our Message-ID, the transport, its outcome, the size, and when, in UTC."""
    before = datetime.now(UTC)
    receipt = subject.transport.deliver(message, Envelope.of(message))
    assert receipt.message_id == message.message_id
    assert receipt.transport == subject.transport.name
    assert receipt.outcome == subject.outcome
    assert receipt.size > 0
    assert receipt.submitted_at.utcoffset() == timedelta(0)
    assert before <= receipt.submitted_at <= datetime.now(UTC)
    assert receipt.refused == {}
    assert subject.arrived() == [message.message_id]


def test_who_is_in_the_receipt(subject: Subject, message: Message) -> None:
    """Accepted are the visible recipients where a relay has the message, and nobody where not."""
    receipt = subject.transport.deliver(message, Envelope.of(message))
    is_accepted = subject.outcome == "accepted"
    assert receipt.accepted == (("ann@example.org", "ben@example.org") if is_accepted else ())
    assert receipt.bcc_accepted == int(is_accepted)
    assert receipt.bcc_refused == 0


def test_bcc_is_nowhere_in_the_receipt(subject: Subject, message: Message) -> None:
    """The receipt does not know the address of a Bcc recipient, nor his name."""
    receipt = subject.transport.deliver(message, Envelope.of(message))
    for form in (receipt.model_dump_json(), repr(receipt), str(receipt)):
        assert "eve" not in form.lower()
        assert "secret.example" not in form
        assert "canary" not in form


def test_the_receipt_travels(subject: Subject, message: Message) -> None:
    """It comes back the same from JSON and from a pickle: Prefect stores results as either."""
    receipt = subject.transport.deliver(message, Envelope.of(message))
    assert Receipt.model_validate_json(receipt.model_dump_json()) == receipt
    assert pickle.loads(pickle.dumps(receipt)) == receipt  # noqa: S301  # our own octets


def test_the_message_stays_as_it_was(subject: Subject, message: Message) -> None:
    """Neither message nor envelope changes, so that another transport can have them."""
    envelope = Envelope.of(message)
    before = copy.deepcopy((message, envelope)), bytes(render_mime(message))
    subject.transport.deliver(message, envelope)
    assert ((message, envelope), bytes(render_mime(message))) == before


def test_two_deliveries(subject: Subject, make_message: MakeMessage) -> None:
    """A transport can be used again, each time for one message."""
    messages = [make_message(subject=f"Build {number}") for number in range(2)]
    receipts = [subject.transport.deliver(m, Envelope.of(m)) for m in messages]
    assert [receipt.message_id for receipt in receipts] == [m.message_id for m in messages]
    assert sorted(subject.arrived()) == sorted(m.message_id for m in messages)


def test_the_envelope_decides(subject: Subject, message: Message) -> None:
    """Who is named in a header but not in the envelope is in no receipt."""
    envelope = Envelope(message.from_, message.to)
    receipt = subject.transport.deliver(message, envelope)
    assert "ben@example.org" not in receipt.accepted
    assert receipt.bcc_accepted == 0


def test_only_our_own_errors(subject: Subject, message: Message) -> None:
    """A transport whose other end is broken raises an `EmailError` that says so, with no secret."""
    subject.break_down()
    with pytest.raises(EmailError) as caught:
        subject.transport.deliver(message, Envelope.of(message))
    assert len(str(caught.value)) > 20
    assert "canary" not in str(caught.value)
    assert "eve@" not in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  # our own octets
    assert (type(again), str(again)) == (type(caught.value), str(caught.value))


def test_many_threads(subject: Subject, make_message: MakeMessage) -> None:
    """Twenty messages over four threads arrive, each exactly once."""
    messages = [make_message(subject=f"Build {number}") for number in range(20)]
    with ThreadPoolExecutor(4) as threads:
        receipts = list(
            threads.map(lambda m: subject.transport.deliver(m, Envelope.of(m)), messages)
        )
    assert [receipt.message_id for receipt in receipts] == [m.message_id for m in messages]
    assert sorted(subject.arrived()) == sorted(m.message_id for m in messages)
