"""What the earlier tries of a mail came to, so that nobody gets it twice.

A retry of a task runs in the process of the first try; what another process reached is not known
here, and is only told by the Message-ID, which stays the same.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.receipt import Receipt

V = TypeVar("V")

_MOST_RUNS = 10_000


class Memory(Generic[V]):
    """Values by the seeds of Message-IDs, for the task runs that were last heard of.

    The mails of one task run are forgotten together: a run with very many mails must not push
    out its own, which its next try would submit again.

    Args:
        most_runs: of how many task runs.
    """

    def __init__(self, most_runs: int = _MOST_RUNS) -> None:
        self._most_runs = most_runs
        self._runs: OrderedDict[str, dict[str, V]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, seed: str) -> V | None:
        """Give what is kept, if anything.

        Args:
            seed: of the Message-ID; blank for a mail that has one try only.
        """
        with self._lock:
            return self._runs.get(_run_of(seed), {}).get(seed)

    def note(self, seed: str, value: V) -> None:
        """Keep a value for the next try.

        Args:
            seed: as above; with a blank one, nothing is kept.
            value: what the tries up to now came to.
        """
        if not seed:
            return
        run = _run_of(seed)
        with self._lock:
            self._runs.setdefault(run, {})[seed] = value
            self._runs.move_to_end(run)
            if len(self._runs) > self._most_runs:
                self._runs.popitem(last=False)

    def forget(self, seed: str) -> None:
        """Drop what is kept: there is no next try."""
        run = _run_of(seed)
        with self._lock:
            mails = self._runs.get(run, {})
            mails.pop(seed, None)
            if not mails:
                self._runs.pop(run, None)


def _run_of(seed: str) -> str:
    """The part of the seed that the mails of one task run have in common."""
    return seed.partition(":")[0]


_receipts: Memory[Receipt] = Memory()

recall, note, forget = _receipts.recall, _receipts.note, _receipts.forget
"""The receipts of mails that somebody was accepted for."""

failures: Memory[EmailError] = Memory()
"""What stood against a mail among many for good, while others are tried again."""
