"""Many messages through transports that know of one at a time."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    InternalError,
    RecipientsRefused,
    TransientFailure,
)
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt, Refusal
from prefect_smtp_relay.spool import open_spool
from prefect_smtp_relay.testing.memory import InMemoryTransport
from prefect_smtp_relay.transports.bulk import BulkTransport, Report, Result, deliver_all
from prefect_smtp_relay.transports.outbox import Outbox
from prefect_smtp_relay.transports.smtp import SmtpConfig, SmtpTransport

MakeMessage = Callable[..., Message]
Mail = tuple[Message, Envelope]

_run = contextvars.ContextVar("_run", default="none")


@dataclass
class Noting(InMemoryTransport):
    """Notes where each delivery ran, and waits there for the others of its round."""

    round: threading.Barrier | None = None
    runs: list[str] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Note, wait, and keep the message."""
        self.runs.append(_run.get())
        self.threads.add(threading.get_ident())
        if self.round is not None:
            self.round.wait(10)
        return super().deliver(message, envelope)


@pytest.fixture
def mails(make_message: MakeMessage) -> list[Mail]:
    """Ten messages to ten people."""
    messages = [make_message(f"user{number}@example.org") for number in range(10)]
    return [(message, Envelope.of(message)) for message in messages]


def ids(of: Sequence[Mail]) -> list[str]:
    """The Message-IDs of mails, in their order."""
    return [message.message_id for message, _ in of]


def ids_in(results: Sequence[Result]) -> list[str]:
    """The Message-IDs of receipts, in their order."""
    return [result.message_id for result in results]


@pytest.mark.parametrize("connections", [1, 4, 50])
def test_each_message_has_its_receipt_in_its_place(mails: list[Mail], connections: int) -> None:
    """Whatever the number of threads, the receipts are in the order of the mails."""
    transport = InMemoryTransport()
    results = deliver_all(transport, mails, connections)
    assert ids_in(results) == ids(mails)
    arrived = [delivery.message.message_id for delivery in transport.deliveries]
    assert sorted(arrived) == sorted(ids(mails))


@dataclass
class Busy(InMemoryTransport):
    """Accepts some messages, and then wants the others to wait."""

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Accept three."""
        receipt = super().deliver(message, envelope)
        if len(self.deliveries) <= 3:
            return receipt
        error = TransientFailure("busy:", "429 Too Many Requests", 429)
        error.retry_after = 30.0
        raise error


def test_a_relay_that_wants_to_wait_is_left_alone(mails: list[Mail]) -> None:
    """The messages that were not begun get its error, each one of its own."""
    transport = Busy()
    results = deliver_all(transport, mails)
    assert len(transport.deliveries) == 4
    assert [isinstance(result, Receipt) for result in results] == [True] * 3 + [False] * 7
    errors = [result for result in results if isinstance(result, TransientFailure)]
    assert {error.retry_after for error in errors} == {30.0}
    assert len(set(map(id, errors))) == 7


def test_an_error_stands_in_the_place_of_its_message(mails: list[Mail]) -> None:
    """One that is refused does not keep the others from being submitted."""
    refused = {"user3@example.org": Refusal(code=550, text="no such user")}
    results = deliver_all(InMemoryTransport(refused=refused), mails, 3)
    assert [n for n, result in enumerate(results) if isinstance(result, RecipientsRefused)] == [3]
    assert sum(isinstance(result, Receipt) for result in results) == 9


def test_one_error_that_meets_all_is_an_error_for_each(mails: list[Mail]) -> None:
    """What is noted on the error of one mail does not show on that of another."""
    failure = ConnectionFailed("memory:", "nobody listens.", stage="connect")
    results = deliver_all(InMemoryTransport(failure=failure), mails)
    assert {str(result) for result in results} == {str(failure)}
    assert len({id(result) for result in results}) == len(mails)


def test_the_outbox_stores_them_all(mails: list[Mail], tmp_path: Path) -> None:
    """Each is stored once, and each receipt says so."""
    outbox = Outbox(open_spool(str(tmp_path / "outbox")))
    results = deliver_all(outbox, mails, 4)
    assert ids_in(results) == ids(mails)
    assert all(isinstance(r, Receipt) and r.outcome == "stored" for r in results)
    assert sorted(mail.message_id for mail in outbox.entries()) == sorted(ids(mails))


def test_several_are_under_way_at_once(mails: list[Mail]) -> None:
    """With two connections the first delivery need not end before the second begins."""
    transport = Noting(round=threading.Barrier(2))
    assert ids_in(deliver_all(transport, mails, 2)) == ids(mails)
    assert len(transport.threads) == 2


@pytest.mark.parametrize("connections", [1, 0, -3])
def test_fewer_than_one_connection_is_one(mails: list[Mail], connections: int) -> None:
    """A number that makes no sense submits one message after the other, in their order."""
    transport = Noting()
    deliver_all(transport, mails, connections)
    assert len(transport.threads) == 1
    assert [d.message.message_id for d in transport.deliveries] == ids(mails)


def test_context_variables_reach_the_threads(mails: list[Mail]) -> None:
    """What the caller's context says, such as the run whose log it is, holds in each thread."""
    transport = Noting()
    token = _run.set("nightly")
    try:
        deliver_all(transport, mails, 3)
    finally:
        _run.reset(token)
    assert transport.runs == ["nightly"] * 10


def test_what_nobody_foresaw_is_one_mail_s(mails: list[Mail]) -> None:
    """A transport that breaks its contract for one mail does not keep the others from going."""

    class Broken(InMemoryTransport):
        def deliver(self, message: Message, envelope: Envelope) -> Receipt:
            if message is mails[3][0]:
                raise ZeroDivisionError
            return super().deliver(message, envelope)

    results = deliver_all(Broken(), mails, 3)
    broken = {n: result for n, result in enumerate(results) if isinstance(result, InternalError)}
    assert [*broken] == [3]
    assert isinstance(broken[3].__cause__, ZeroDivisionError)
    assert sum(isinstance(result, Receipt) for result in results) == 9


def test_an_interruption_submits_no_more(mails: list[Mail]) -> None:
    """A task's timeout goes to the caller, and what still waits is not submitted."""

    class Broken(Noting):
        def deliver(self, message: Message, envelope: Envelope) -> Receipt:
            self.runs.append(message.message_id)
            if len(self.runs) == 1:
                raise KeyboardInterrupt
            time.sleep(0.01)  # all of them would take ten seconds
            return super().deliver(message, envelope)

    transport = Broken()
    with pytest.raises(KeyboardInterrupt):
        deliver_all(transport, mails * 100)
    assert len(transport.deliveries) < len(mails * 100) - 1


@pytest.mark.parametrize("transport", [InMemoryTransport(), SmtpTransport(SmtpConfig("x.test"))])
def test_no_message_is_no_result(transport: InMemoryTransport | SmtpTransport) -> None:
    """Nothing to submit needs no thread and no relay."""
    assert deliver_all(transport, [], 3) == []


def test_a_transport_that_takes_many_is_given_all_at_once(mails: list[Mail]) -> None:
    """Its own way is asked once, with the number of connections."""

    class Many(InMemoryTransport):
        def deliver_all(
            self, mails: Iterable[Mail], connections: int = 1, report: Report | None = None
        ) -> list[Result]:
            asked.append((connections, report))
            return [self.deliver(*mail) for mail in mails]

    def report(number: int, result: Result) -> None:
        """Take a result."""

    asked: list[tuple[int, Report | None]] = []
    assert ids_in(deliver_all(Many(), mails, 7, report)) == ids(mails)
    assert asked == [(7, report)]


@pytest.mark.parametrize("connections", [1, 3])
def test_each_result_is_reported_once_under_its_number(mails: list[Mail], connections: int) -> None:
    """Whoever drew the mail, its number says where it was among all."""
    told: list[tuple[int, Result]] = []
    results = deliver_all(InMemoryTransport(), iter(mails), connections, lambda *r: told.append(r))
    assert sorted(told, key=lambda each: each[0]) == list(enumerate(results))


def test_a_mail_is_drawn_when_the_one_before_it_was_reported(mails: list[Mail]) -> None:
    """Of ever so many, one is in work."""
    steps: list[str] = []

    def drawn() -> Iterator[Mail]:
        for number, mail in enumerate(mails[:3]):
            steps.append(f"drawn {number}")
            yield mail

    deliver_all(InMemoryTransport(), drawn(), 1, lambda n, _: steps.append(f"result {n}"))
    assert steps == [f"{step} {number}" for number in range(3) for step in ("drawn", "result")]


def test_smtp_takes_many_and_the_others_take_one() -> None:
    """Who has a way of its own is told by its methods."""
    assert isinstance(SmtpTransport(SmtpConfig("x.test")), BulkTransport)
    assert not isinstance(InMemoryTransport(), BulkTransport)
