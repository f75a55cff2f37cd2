"""What the tries of a mail came to, so that the next one goes only to those who have nothing yet.

A retry of a task runs in the process of the first try; what another process reached is not known
here, and is only told by the Message-ID, which stays the same.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.receipt import Receipt

_MAX_RUNS = 10_000


@dataclass(frozen=True)
class RetryState:
    """What the tries of one mail came to.

    Args:
        receipt: of those who were accepted; it names those who are tried again.
        error: of the last try.
        run_id: the run of the last try. What it gave up, another run of the same key tries anew.
        not_before: a moment by `Clock.now`, until which the relay of the error takes no mail.
        may_be_accepted: whether the outcome of one of the tries is unknown.
    """

    receipt: Receipt | None = None
    error: EmailError | None = None
    run_id: str = ""
    not_before: float = 0.0
    may_be_accepted: bool = False


NOTHING = RetryState()


class RetryStates:
    """The states of mails, by the seeds of their Message-IDs.

    The mails of one task run are forgotten together: a run with very many mails must not push
    out its own, which its next try would submit again.

    Args:
        max_runs: how many task runs, those that were last heard of.
    """

    def __init__(self, max_runs: int = _MAX_RUNS) -> None:
        self._max_runs = max_runs
        self._runs: OrderedDict[str, dict[str, RetryState]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, seed: str) -> RetryState:
        """Return what is known of a mail.

        Args:
            seed: of the Message-ID; empty for a mail that has one try only.
        """
        with self._lock:
            return self._runs.get(_run_of(seed), {}).get(seed, NOTHING)

    def note(self, seed: str, state: RetryState) -> None:
        """Keep what the tries up to now came to; nothing for an empty seed."""
        if not seed:
            return
        run = _run_of(seed)
        with self._lock:
            self._runs.setdefault(run, {})[seed] = state
            self._runs.move_to_end(run)
            if len(self._runs) > self._max_runs:
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
    """Return the part of the seed that the mails of one task run have in common."""
    return seed.partition(":")[0]
