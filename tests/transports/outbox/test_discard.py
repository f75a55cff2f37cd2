"""Removing what nobody wants any more, beside flushes that may be submitting it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import TransientFailure
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.outbox import DiscardReport, Outbox
from prefect_smtp_relay.transports.outbox.record import Record

Store = Callable[..., Message]


def _ids(outbox: Outbox) -> list[str]:
    return [mail.id for mail in outbox.entries()]


def test_what_is_discarded_is_gone(
    outbox: Outbox, directory: Path, store: Store, relay: Any
) -> None:
    """Nothing of it is left, and no flush submits it; discarding it again is no error."""
    store("one")
    store("two")
    one, two = _ids(outbox)
    assert outbox.discard([one]) == DiscardReport(discarded=[one], remaining=1)
    assert {path.name.partition(".")[0] for path in directory.iterdir()} == {two}
    outbox.flush(relay)
    assert [message.subject for message, _ in relay.taken] == ["two"]
    assert outbox.discard([one]).discarded == [one]


def test_what_a_flush_submits_is_left_to_it(outbox: Outbox, store: Store, relay: Any) -> None:
    """It is said so, and the mail goes once."""
    store()
    [entry] = _ids(outbox)
    reports = []

    def submit(message: Message, envelope: Envelope) -> Receipt:
        reports.append(outbox.discard([entry]))
        receipt: Receipt = relay(message, envelope)
        return receipt

    assert len(outbox.flush(submit).accepted) == 1
    assert reports == [DiscardReport(claimed=[entry], remaining=1)]


def test_what_is_being_discarded_is_not_submitted(outbox: Outbox, store: Store, relay: Any) -> None:
    """A flush that comes meanwhile finds it claimed."""
    store()
    flushed = []

    def forget(_: Record) -> None:
        flushed.append(outbox.flush(relay))

    outbox.discard(_ids(outbox), forget)
    assert (relay.taken, flushed[0].accepted, outbox.entries()) == ([], [], [])


def test_what_cannot_be_forgotten_stays(outbox: Outbox, store: Store, relay: Any) -> None:
    """With the reason, and a flush can still have it."""
    store("one")
    store("two")
    one, two = _ids(outbox)

    def forget(record: Record) -> None:
        if record.subject == "one":
            raise TransientFailure("spool", "does not answer")

    report = outbox.discard([one, two], forget)
    assert (report.discarded, report.remaining) == ([two], 1)
    assert report.failed[0][0] == one
    assert "does not answer" in report.failed[0][1]
    assert len(outbox.flush(relay).accepted) == 1


@pytest.mark.parametrize("damage", ["{}", ""])
def test_what_cannot_be_read_is_discarded_by_its_name(
    outbox: Outbox, directory: Path, store: Store, damage: str
) -> None:
    """Nobody could do anything else with it."""
    store()
    [entry] = _ids(outbox)
    (directory / f"{entry}.json").write_text(damage)
    assert outbox.discard([entry]).discarded == [entry]
    assert list(directory.iterdir()) == []


def test_what_a_flush_can_read_and_this_process_cannot_is_left_to_it(
    outbox: Outbox, directory: Path, store: Store, relay: Any
) -> None:
    """Its claim is seen, although the record that names the turn cannot be read."""
    store()
    [entry] = _ids(outbox)
    record = directory / f"{entry}.json"
    reports = []

    def submit(message: Message, envelope: Envelope) -> Receipt:
        text = record.read_bytes()
        record.write_bytes(b"{}")
        reports.append(outbox.discard([entry]))
        record.write_bytes(text)
        receipt: Receipt = relay(message, envelope)
        return receipt

    assert len(outbox.flush(submit).accepted) == 1
    assert reports[0].claimed == [entry]
