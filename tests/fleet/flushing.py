"""Hosts that flush one outbox, and are killed while they do; the command prints the figures.

python -m tests.fleet.flushing --kills 20 [--policy keep] [--mails 100]
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.spool import open_spool
from prefect_smtp_relay.spool.lease import Leases
from prefect_smtp_relay.transports.outbox import Outbox
from tests.fleet.processes import Program, wait_for

_HOSTS = 3
_LEASE_SECONDS = 3.0
_POLICY = {"keep": True, "retry": False}


@dataclass(frozen=True)
class Figures:
    """What became of the mails.

    Args:
        kills: of hosts that were submitting.
        lost: mails that no relay got, and that do not wait either.
        duplicates: submissions of what was submitted already.
        uncertain: mails that wait until somebody names them.
    """

    kills: int
    lost: int
    duplicates: int
    uncertain: int


def flush(folder: Path, policy: str) -> None:
    """Flush until nothing is left but what has to be named: the work of one host."""
    process_memory.put(Leases, Leases(_LEASE_SECONDS))
    outbox = Outbox(open_spool(str(folder / "spool")), keeps_unknown=_POLICY[policy])

    def submit(message: Message, envelope: Envelope) -> Receipt:
        del envelope
        with (folder / "submitted").open("a") as file:
            file.write(f"{message.message_id}\n")
        time.sleep(0.02)
        return Receipt.for_message(message, transport="t", outcome="accepted", accepted=(), size=1)

    report = outbox.flush(submit)
    while report.remaining > len(report.unknown):
        time.sleep(0.05)
        report = outbox.flush(submit)


def run(folder: Path, kills: int, mails: int, policy: str) -> Figures:
    """Kill hosts at random moments of their work, and start them again."""
    outbox = Outbox(open_spool(str(folder / "spool")))
    stored = {_keep(outbox, str(number)) for number in range(mails)}
    submitted, command = folder / "submitted", [sys.executable, "-m", "tests.fleet.flushing"]
    submitted.touch()
    moments = random.Random(kills)  # noqa: S311  # moments, not secrets
    with ExitStack() as running:
        words = ["--flush", str(folder), "--policy", policy]
        hosts = [
            running.enter_context(Program([*command, *words], os.environ, folder / f"{n}.log"))
            for n in range(_HOSTS)
        ]
        for _ in range(kills):
            before = submitted.stat().st_size
            wait_for(partial(_has_grown, submitted, before), "a submission")
            time.sleep(moments.uniform(0, 0.05))
            host = moments.choice(hosts)
            host.kill()
            host.start()
        wait_for(lambda: _is_done(outbox, policy), "the end of the work")
    count = Counter(submitted.read_text().split())
    left = {mail.message_id for mail in outbox.entries()}
    duplicates = sum(count.values()) - len(count)
    return Figures(kills, len(stored - {*count} - left), duplicates, len(left))


def _has_grown(file: Path, before: int) -> bool:
    return file.stat().st_size > before


def _keep(outbox: Outbox, seed: str) -> str:
    draft = compose(to="bob@example.net", subject=seed, text="plain", html="")
    message = draft.from_mailbox(Mailbox("ann", "example.org"), seed)
    outbox.keep(message, Envelope.of(message), "no relay")
    return message.message_id


def _is_done(outbox: Outbox, policy: str) -> bool:
    time.sleep(0.2)
    return all(mail.may_be_accepted and _POLICY[policy] for mail in outbox.entries())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--flush", type=Path)
    parser.add_argument("--policy", choices=_POLICY, default="retry")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--mails", type=int, default=100)
    given = parser.parse_args()
    if given.flush:
        flush(given.flush, given.policy)
    else:
        with tempfile.TemporaryDirectory() as place:
            figures = run(Path(place), given.kills, given.mails, given.policy)
        sys.stdout.write(f"{given.policy}: {figures}\n")
