"""Flushing the outbox to a relay."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    OutcomeUnknown,
    PermanentFailure,
    RecipientsRefused,
    TransientFailure,
)
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt, Refusal
from prefect_smtp_relay.transports.outbox import FlushReport, Outbox

NewMessage = Callable[..., Message]
Store = Callable[..., Message]

NO_SUCH_USER = Refusal(code=550, enhanced_code="5.1.1", text="no such user")


def test_what_a_relay_accepts_leaves_the_outbox(
    outbox: Outbox, directory: Path, store: Store, relay: Any
) -> None:
    """Everything is submitted once, the oldest first, and nothing stays behind."""
    messages = [store(seed) for seed in ("one", "two", "three")]
    report = outbox.flush(relay)
    assert relay.taken == [(message, Envelope.of(message)) for message in messages]
    assert [r.message_id for r in report.accepted] == [m.message_id for m in messages]
    assert (report.failed, report.remaining, report.stopped) == ([], 0, "")
    assert list(directory.iterdir()) == []


def test_a_second_flush_does_nothing(outbox: Outbox, store: Store, relay: Any) -> None:
    """Flushing is idempotent."""
    store()
    outbox.flush(relay)
    assert outbox.flush(relay) == FlushReport()
    assert len(relay.taken) == 1


def test_flushing_nothing_is_no_error(outbox: Outbox, directory: Path, relay: Any) -> None:
    """An outbox that was never used can be flushed, and is not created by it."""
    assert outbox.flush(relay) == FlushReport()
    assert not directory.exists()


@pytest.mark.parametrize(
    "error",
    [
        TransientFailure("smtp://mx", "try later", 451),
        PermanentFailure("smtp://mx", "no", 554),
        RecipientsRefused("smtp://mx", {"bob@example.net": NO_SUCH_USER}),
    ],
)
def test_what_fails_stays_with_its_reason(
    outbox: Outbox, store: Store, relay: Any, error: Exception
) -> None:
    """An error of the relay becomes the entry's reason, and the flush goes on."""
    first, second = store("one"), store("two")
    stored = outbox.entries()
    relay.answer = error
    report = outbox.flush(relay)
    assert report.failed == [(mail.id, str(error)) for mail in stored]
    assert (report.accepted, report.remaining) == ([], 2)
    assert [mail.reason for mail in outbox.entries()] == [str(error)] * 2
    assert [mail.stored_at for mail in outbox.entries()] == [mail.stored_at for mail in stored]
    relay.answer = {}
    assert [r.message_id for r in outbox.flush(relay).accepted] == [
        first.message_id,
        second.message_id,
    ]


def test_what_may_have_been_accepted_is_submitted_only_where_it_is_named(
    outbox: Outbox, store: Store, relay: Any
) -> None:
    """A flush passes over an entry whose answer was lost, says so, and takes it by its name."""
    first, second = store("one"), store("two")
    relay.answer = OutcomeUnknown("smtp://mx", "the reply was lost")
    outbox.flush(relay)
    entries = outbox.entries()
    assert [entry.may_be_accepted for entry in entries] == [True, True]
    relay.answer = {}
    report = outbox.flush(relay)
    assert (report.accepted, report.remaining) == ([], 2)
    assert report.unknown == [entry.id for entry in entries]
    report = outbox.flush(relay, [entries[1].id])
    assert [receipt.message_id for receipt in report.accepted] == [second.message_id]
    assert [entry.message_id for entry in outbox.entries()] == [first.message_id]


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyboardInterrupt()])
def test_any_other_exception_is_the_callers(
    outbox: Outbox, store: Store, relay: Any, error: BaseException
) -> None:
    """What is no error of ours is raised again, and loses nothing."""
    store("one")
    before = outbox.entries()
    relay.answer = error
    with pytest.raises(type(error)):
        outbox.flush(relay)
    assert outbox.entries() == before


def test_only_the_refused_stay(outbox: Outbox, store: Store, relay: Any) -> None:
    """Who was accepted never gets the message again; the refusal is the reason."""
    message = store(to="bob@example.net, cy@example.net", bcc="eve@example.net")
    relay.answer = {
        "accepted": ["bob@example.net", "eve@example.net"],
        "refused": {"cy@example.net": NO_SUCH_USER},
    }
    report = outbox.flush(relay)
    (mail,) = outbox.entries()
    assert len(report.accepted) == 1
    assert report.failed == [(mail.id, "cy@example.net: 550 5.1.1 no such user")]
    assert (mail.reason, mail.recipients, report.remaining) == (report.failed[0][1], 1, 1)
    read, envelope = outbox.read(mail)
    assert [path.address for path in envelope.forward_paths] == ["cy@example.net"]
    assert (read.to, read.bcc) == (message.to, ())


def test_refused_bcc_recipients_stay_unnamed(outbox: Outbox, store: Store, relay: Any) -> None:
    """All Bcc recipients refused: they stay, and no text names them."""
    store(bcc="eve@example.net, fay@example.net")
    relay.answer = {
        "accepted": ["bob@example.net"],
        "refused": {"eve@example.net": NO_SUCH_USER, "fay@example.net": NO_SUCH_USER},
    }
    report = outbox.flush(relay)
    (mail,) = outbox.entries()
    assert report.failed == [(mail.id, "2 Bcc recipients were refused")]
    paths = outbox.read(mail)[1].forward_paths
    assert [path.address for path in paths] == ["eve@example.net", "fay@example.net"]


def test_a_refused_bcc_recipient_is_tried_again_alone(
    outbox: Outbox, store: Store, relay: Any
) -> None:
    """The entry stays for the Bcc recipient that was refused, whom the report does not name."""
    store(bcc="eve@example.net, fay@example.net")
    relay.answer = {
        "accepted": ["bob@example.net", "fay@example.net"],
        "refused": {"eve@example.net": NO_SUCH_USER},
    }
    report = outbox.flush(relay)
    assert report.failed[0][1] == "1 Bcc recipients were refused"
    (mail,) = outbox.entries()
    _, envelope = outbox.read(mail)
    assert [path.address for path in envelope.forward_paths] == ["eve@example.net"]


def test_without_a_relay_the_flush_stops(outbox: Outbox, store: Store, relay: Any) -> None:
    """A receipt that says stored changes nothing, and no other entry is tried."""
    store("one", bcc="eve@example.net")
    store("two")
    before = outbox.entries()
    taken: list[Message] = []

    def deliver_to_the_outbox(message: Message, envelope: Envelope) -> Receipt:
        taken.append(message)
        return outbox.deliver(message, envelope)

    report = outbox.flush(deliver_to_the_outbox)
    assert "no relay took the messages" in report.stopped
    assert (report.accepted, report.failed, report.remaining) == ([], [], 2)
    assert len(taken) == 1
    assert outbox.entries() == before
    assert len(outbox.flush(relay).accepted) == 2


def test_an_unreadable_entry_stays_and_the_others_go(
    outbox: Outbox, store: Store, relay: Any
) -> None:
    """A damaged message or record is reported, kept as it is, and stops nobody else."""
    for seed in ("one", "two", "three"):
        store(seed)
    first, second, _ = outbox.entries()
    Path(first.place).write_bytes(b"garbage")
    Path(second.place).with_suffix(".json").write_bytes(b"garbage")
    report = outbox.flush(relay)
    assert {entry_id for entry_id, _ in report.failed} == {first.id, second.id}
    assert (len(report.accepted), report.remaining) == (1, 2)
    assert Path(first.place).read_bytes() == b"garbage"


def test_what_may_have_been_accepted_is_submitted_only_when_it_is_named(
    outbox: Outbox, new_message: NewMessage, relay: Any
) -> None:
    """A second copy is a decision of a person who has looked at the relay's log."""
    message = new_message()
    entry = outbox.keep(message, Envelope.of(message), "the reply was lost", may_be_accepted=True)
    report = outbox.flush(relay)
    assert (report.accepted, report.unknown, report.remaining) == ([], [entry], 1)
    assert relay.taken == []
    assert len(outbox.flush(relay, [entry]).accepted) == 1
    assert outbox.entries() == []


def test_an_answer_that_is_lost_in_a_flush_makes_an_entry_uncertain(
    outbox: Outbox, store: Store, relay: Any
) -> None:
    """The next flush leaves it alone, until it is named; it stays so whatever else fails."""
    store()
    relay.answer = OutcomeUnknown("smtp://mx", "the reply was lost")
    [(entry, _)] = outbox.flush(relay).failed
    relay.answer = ConnectionFailed("smtp://mx", "refused")
    assert outbox.flush(relay).unknown == [entry]
    assert len(outbox.flush(relay, [entry]).failed) == 1
    assert outbox.flush(relay).unknown == [entry]
    assert len(relay.taken) == 2


def test_only_named_entries_are_submitted(outbox: Outbox, store: Store, relay: Any) -> None:
    """The others wait."""
    store("one")
    two = store("two")
    [entry] = [mail.id for mail in outbox.entries() if mail.subject == "two"]
    report = outbox.flush(relay, [entry])
    assert ([taken[0] for taken in relay.taken], report.remaining) == ([two], 1)
