"""Two flushes at once, and what a flush that died leaves behind."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import PermanentFailure
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.outbox import FlushReport, Outbox

Store = Callable[..., Message]

FLUSH_IN_A_PROCESS = """
import sys, time
from pathlib import Path
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.outbox import Outbox

directory, go, ready = map(Path, sys.argv[1:])

def submit(message, envelope):
    print(message.message_id, flush=True)
    time.sleep(0.002)
    return Receipt.for_message(message, transport="t", outcome="accepted", accepted=(), size=1)

ready.touch()
while not go.exists():
    time.sleep(0.001)
report = Outbox(directory).flush(submit)
assert not report.failed, report.failed
"""


def _age(path: Path, minutes: int) -> None:
    then = time.time() - 60 * minutes
    os.utime(path, (then, then))


def test_a_claimed_entry_is_listed_and_left_alone(outbox: Outbox, store: Store, relay: Any) -> None:
    """While one flush submits a message, another one and a retried task leave it to that flush."""
    seen: list[FlushReport] = []
    message = store()

    def submit(message: Message, envelope: Envelope) -> Receipt:
        (mail,) = outbox.entries()
        assert (mail.claimed, mail.interrupted) == (True, False)
        assert outbox.keep(message, envelope, "a retry").stem == mail.id
        seen.append(outbox.flush(relay))
        receipt: Receipt = relay(message, envelope)
        return receipt

    report = outbox.flush(submit)
    assert seen == [FlushReport(remaining=1)]
    assert [taken[0] for taken in relay.taken] == [message]
    assert (len(report.accepted), report.remaining) == (1, 0)


def test_an_interrupted_claim_is_taken_over(
    outbox: Outbox, directory: Path, store: Store, relay: Any
) -> None:
    """What a dead process had claimed is shown as interrupted after 15 minutes, and flushed."""
    store()
    (mail,) = outbox.entries()
    claim = directory / f"{mail.id}.{'0' * 16}.claimed"
    mail.path.rename(claim)
    _age(claim, minutes=14)
    assert (outbox.flush(relay).remaining, relay.taken) == (1, [])
    _age(claim, minutes=16)
    (interrupted,) = outbox.entries()
    assert (interrupted.interrupted, interrupted.claimed) == (True, False)
    assert interrupted.path == claim
    report = outbox.flush(relay)
    assert (len(report.accepted), report.remaining) == (1, 0)
    assert list(directory.iterdir()) == []


def test_an_old_entry_is_claimed_with_a_young_claim(
    outbox: Outbox, store: Store, relay: Any
) -> None:
    """A message that waited for days does not look interrupted the moment it is claimed."""
    store()
    _age(outbox.entries()[0].path, minutes=60 * 24 * 3)

    def submit(message: Message, envelope: Envelope) -> Receipt:
        assert outbox.entries()[0].claimed
        receipt: Receipt = relay(message, envelope)
        return receipt

    assert len(outbox.flush(submit).accepted) == 1


@pytest.mark.parametrize("answer", [{}, PermanentFailure("smtp://mx", "no")])
def test_a_claim_that_was_taken_over_belongs_to_the_other_flush(
    outbox: Outbox, directory: Path, store: Store, relay: Any, answer: Any
) -> None:
    """A flush that was asleep for too long touches nothing of its successor's."""
    store()
    relay.answer = answer
    other = "f" * 16

    def submit(message: Message, envelope: Envelope) -> Receipt:
        (claim,) = directory.glob("*.claimed")
        claim.rename(directory / f"{claim.name.split('.')[0]}.{other}.claimed")
        receipt: Receipt = relay(message, envelope)
        return receipt

    outbox.flush(submit)
    (mail,) = outbox.entries()
    assert (mail.path.name, mail.error, mail.reason) == (
        f"{mail.id}.{other}.claimed",
        "",
        "no relay",
    )


def test_only_old_leftovers_of_a_crash_are_removed(
    outbox: Outbox, directory: Path, store: Store, relay: Any
) -> None:
    """A day-old half-written file and a record of nothing go; young ones and foreign files stay."""
    store()
    old = [directory / f".{'0' * 16}.tmp", directory / f"{'0' * 32}.json"]
    young = [directory / f".{'1' * 16}.tmp", directory / f"{'1' * 32}.json"]
    foreign = directory / "notes.json"
    for file in (*old, *young, foreign):
        file.write_bytes(b"x")
    for file in (*old, foreign):
        _age(file, minutes=60 * 24 + 1)
    record = outbox.entries()[0].path.with_suffix(".json")
    _age(record, minutes=60 * 48)
    assert len(outbox.flush(relay).accepted) == 1
    assert sorted(directory.iterdir()) == sorted([*young, foreign])


def test_two_processes_submit_every_message_once(
    directory: Path, store: Store, tmp_path: Path
) -> None:
    """Two flushes at once share the work, and neither submits what the other does."""
    stored = {store(str(number)).message_id for number in range(60)}
    go, ready = tmp_path / "go", [tmp_path / "ready-1", tmp_path / "ready-2"]
    processes = [
        subprocess.Popen(  # noqa: S603 - our own interpreter runs the text above
            [sys.executable, "-c", FLUSH_IN_A_PROCESS, directory, go, mark],
            stdout=subprocess.PIPE,
            text=True,
        )
        for mark in ready
    ]
    deadline = time.monotonic() + 60
    while not all(mark.exists() for mark in ready) and time.monotonic() < deadline:
        time.sleep(0.01)
    go.touch()
    outputs = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert Counter(outputs[0] + outputs[1]) == Counter(stored)
    assert all(outputs), "one process had nothing to do: the test shows nothing"
    assert list(directory.iterdir()) == []
