"""What an ``idempotency_key`` costs in a batch: ``python -m benchmarks.keys``.

Batches with keys and without take turns in one process, to a mail server in another one, with the
spool in a directory of this host. A figure is the median of several turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.mails import SENDER, distinct_mails
from benchmarks.prefect_api import own_prefect_api
from benchmarks.proxy import BIND
from benchmarks.report import Limit
from benchmarks.rounds import in_turns
from benchmarks.smtp.sink import own_sink
from prefect_smtp_relay.process_memory import process_memory

_MAILS = 1_000
_AT_MOST_MS = 0.3


@dataclass(frozen=True)
class Cost:
    """What one mail costs, in milliseconds."""

    wall: float
    cpu: float

    @classmethod
    def median(cls, costs: Sequence[Cost]) -> Cost:
        """The median of each figure."""
        figures = ((cost.wall, cost.cpu) for cost in costs)
        return cls(*map(statistics.median, zip(*figures, strict=True)))


def measure(port: int, rounds: int) -> tuple[Cost, Cost]:
    """Send batches in turns; give what a mail costs without a key, and with one."""
    # Loads Prefect, which reads its settings then.
    from prefect_smtp_relay import SMTP, send_emails

    relay = SMTP(
        address=BIND, port=port, ssl=False, enable_starttls_auto=False, from_address=SENDER
    )

    def turn(make_key: Callable[[], str]) -> Cost:
        mails = [
            {
                "to": mail.recipients,
                "subject": mail.subject,
                "body": mail.text,
                "idempotency_key": make_key(),
            }
            for mail in distinct_mails(_MAILS)
        ]
        started, cpu_started = time.perf_counter(), time.process_time()
        send_emails.fn(mails, relay=relay)
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu_started
        return Cost(wall * 1000 / _MAILS, cpu * 1000 / _MAILS)

    without, keyed = in_turns([partial(turn, str), partial(turn, lambda: uuid.uuid4().hex)], rounds)
    return Cost.median(without), Cost.median(keyed)


def main() -> None:
    """Measure, and print verdicts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keys", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how many batches of each count")
    rounds = parser.parse_args().rounds
    with (
        tempfile.TemporaryDirectory() as spool,
        own_prefect_api(),
        own_sink(BIND) as (port, _),
    ):
        os.environ["PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL"] = spool
        without, keyed = measure(port, rounds)
        process_memory.reset()  # gives back the lease in the spool, before that is removed
    print(f"{'send_emails of 1,000':<28}{'wall ms':>10}{'CPU ms':>10}  a mail")
    for name, cost in (("without keys", without), ("with keys", keyed)):
        print(f"{name:<28}{cost.wall:>10.3f}{cost.cpu:>10.3f}")
    for name, more in (("wall", keyed.wall - without.wall), ("CPU", keyed.cpu - without.cpu)):
        print(Limit(f"A key on a local disk, {name}", more, _AT_MOST_MS, "ms a mail").verdict())


if __name__ == "__main__":
    main()
