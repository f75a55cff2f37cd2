"""Flushes at once, on one host and on many, and what a flush that died leaves."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import PermanentFailure, TransientFailure
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.spool.lease import LEASE_SECONDS
from prefect_smtp_relay.transports.outbox import FlushReport, Outbox

from .opening import outbox_in

Store = Callable[..., Message]

FLUSH_IN_A_PROCESS = """
import sys, time
from pathlib import Path
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.spool import open_spool
from prefect_smtp_relay.transports.outbox import Outbox

spool, go, ready = map(Path, sys.argv[1:])

def submit(message, envelope):
    print(message.message_id, flush=True)
    time.sleep(0.002)
    return Receipt.for_message(message, transport="t", outcome="accepted", accepted=(), size=1)

ready.touch()
while not go.exists():
    time.sleep(0.001)
report = Outbox(open_spool(str(spool))).flush(submit)
assert not report.failed, report.failed
"""

DIE_WHILE_FLUSHING = """
import os, signal, sys
from prefect_smtp_relay.spool import open_spool
from prefect_smtp_relay.transports.outbox import Outbox, flush

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "claimed":
    flush.Flush._flush_one = die
Outbox(open_spool(sys.argv[1])).flush(die)
"""


def _age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def _killed_flush(directory: Path, moment: str) -> None:
    """Flush in another process, which is killed while it has the first message."""
    command = [sys.executable, "-c", DIE_WHILE_FLUSHING, str(directory.parent), moment]
    assert subprocess.run(command, check=False).returncode == -9  # noqa: S603  # fixed arguments


def _end_leases(directory: Path) -> None:
    for lease in (directory.parent / "leases").iterdir():
        _age(lease, LEASE_SECONDS + 5)


def test_a_claimed_entry_is_listed_and_left_alone(outbox: Outbox, store: Store, relay: Any) -> None:
    """While one flush submits a message, another one and a retried task leave it to that flush."""
    seen: list[FlushReport] = []
    message = store()

    def submit(message: Message, envelope: Envelope) -> Receipt:
        (mail,) = outbox.entries()
        assert (mail.claimed, mail.interrupted) == (True, False)
        assert outbox.keep(message, envelope, "a retry") == mail.id
        seen.append(outbox.flush(relay))
        receipt: Receipt = relay(message, envelope)
        return receipt

    report = outbox.flush(submit)
    assert seen == [FlushReport(remaining=1)]
    assert [taken[0] for taken in relay.taken] == [message]
    assert (len(report.accepted), report.remaining) == (1, 0)


@pytest.mark.parametrize("moment", ["claimed", "handed over"])
def test_what_a_killed_flush_had_is_taken_over_after_its_lease(
    outbox: Outbox, directory: Path, store: Store, relay: Any, moment: str
) -> None:
    """Until then it may be alive; if it had begun to submit, the mail goes again by default."""
    message = store()
    _killed_flush(directory, moment)
    assert (outbox.flush(relay).remaining, relay.taken) == (1, [])
    (mail,) = outbox.entries()
    assert (mail.claimed, mail.interrupted) == (True, False)
    _end_leases(directory)
    (mail,) = outbox.entries()
    assert (mail.claimed, mail.interrupted) == (False, moment == "handed over")
    assert len(outbox.flush(relay).accepted) == 1
    assert [taken[0].message_id for taken in relay.taken] == [message.message_id]
    assert list(directory.iterdir()) == []


def test_what_a_killed_flush_had_handed_over_can_be_kept(
    directory: Path, store: Store, relay: Any
) -> None:
    """It waits until somebody who has looked into the relay's log names it."""
    store()
    _killed_flush(directory, "handed over")
    _end_leases(directory)
    outbox = outbox_in(directory, keeps_unknown=True)
    for _ in range(2):
        report = outbox.flush(relay)
        assert (len(report.unknown), report.remaining, relay.taken) == (1, 1, [])
    (mail,) = outbox.entries()
    assert (mail.may_be_accepted, mail.claimed) == (True, False)
    assert "interrupted while it submitted" in mail.reason
    assert len(outbox.flush(relay, report.unknown).accepted) == 1


def test_what_a_killed_flush_had_only_claimed_is_submitted(
    directory: Path, store: Store, relay: Any
) -> None:
    """No relay can have it."""
    store()
    _killed_flush(directory, "claimed")
    _end_leases(directory)
    assert len(outbox_in(directory, keeps_unknown=True).flush(relay).accepted) == 1


def test_an_entry_that_was_given_back_is_nobodys(outbox: Outbox, store: Store, relay: Any) -> None:
    """After a failure the next flush claims it again, however often."""
    store()
    relay.answer = TransientFailure("smtp://mx", "later")
    for _ in range(3):
        assert len(outbox.flush(relay).failed) == 1
        assert not outbox.entries()[0].claimed
    assert len(relay.taken) == 3


@pytest.mark.parametrize("answer", [{}, PermanentFailure("smtp://mx", "no")])
def test_a_claim_that_was_taken_over_belongs_to_the_other_flush(
    outbox: Outbox, directory: Path, store: Store, relay: Any, answer: Any
) -> None:
    """A flush that was asleep for too long touches nothing of its successor's."""
    store()
    relay.answer = answer

    def submit(message: Message, envelope: Envelope) -> Receipt:
        (claim,) = directory.glob("*.claim")
        entry_id, turn, _ = claim.name.split(".")
        successor = directory / f"{entry_id}.{int(turn) + 1}.claim"
        successor.write_bytes(claim.read_bytes())
        successor.chmod(0o600)
        receipt: Receipt = relay(message, envelope)
        return receipt

    outbox.flush(submit)
    (mail,) = outbox.entries()
    assert (mail.claimed, mail.error, mail.reason) == (True, "", "no relay")


def test_a_flush_that_comes_too_late_leaves_the_entry(
    outbox: Outbox, directory: Path, store: Store, relay: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its look at the record and its claim, another one had the message, and failed."""
    store()
    late = outbox_in(directory)
    claim, relay.answer = late._entries.claim, TransientFailure("smtp://mx", "later")

    def overtaken(*arguments: Any) -> Any:
        assert len(outbox.flush(relay).failed) == 1
        return claim(*arguments)

    monkeypatch.setattr(late._entries, "claim", overtaken)
    assert late.flush(relay) == FlushReport(remaining=1)
    assert len(relay.taken) == 1
    assert not list(directory.glob("*.claim"))


def test_a_damaged_claim_is_told(outbox: Outbox, directory: Path, store: Store, relay: Any) -> None:
    """Nobody can say whether its owner is alive: a person decides."""
    store()
    _killed_flush(directory, "claimed")
    (claim,) = directory.glob("*.claim")
    claim.write_bytes(b"garbage")
    assert "is damaged. Delete it." in outbox.flush(relay).failed[0][1]
    assert "is damaged" in outbox.entries()[0].error
    claim.unlink()
    assert len(outbox.flush(relay).accepted) == 1


def test_only_old_leftovers_of_a_crash_are_removed(
    outbox: Outbox, directory: Path, store: Store, relay: Any
) -> None:
    """A day-old half-written file, record or claim of nothing, or lease goes; the others stay."""
    store()
    leases = directory.parent / "leases"
    leases.mkdir(mode=0o700)
    names = [f".{{}}{'0' * 15}.tmp", f"{{}}{'0' * 31}.json", f"{{}}{'0' * 31}.7.claim"]
    old = [*(directory / name.format(0) for name in names), leases / "0"]
    young = [*(directory / name.format(1) for name in names), leases / "1"]
    for file in (*old, *young):
        file.write_bytes(b"x")
    for file in old:
        _age(file, 60 * 60 * 24 + 60)
    (record,) = directory.glob(f"{outbox.entries()[0].id}.json")
    _age(record, 60 * 60 * 48)
    assert len(outbox.flush(relay).accepted) == 1
    outbox._spool.lease.close()
    assert sorted([*directory.iterdir(), *leases.iterdir()]) == sorted(young)


def test_two_processes_submit_every_message_once(
    directory: Path, store: Store, tmp_path: Path
) -> None:
    """Two flushes at once share the work, and neither submits what the other does."""
    stored = {store(str(number)).message_id for number in range(60)}
    go, ready = tmp_path / "go", [tmp_path / "ready-1", tmp_path / "ready-2"]
    processes = [
        subprocess.Popen(  # noqa: S603 - our own interpreter runs the text above
            [sys.executable, "-c", FLUSH_IN_A_PROCESS, directory.parent, go, mark],
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
