"""Until when the next try of a mail has to wait, where its relay said so.

Prefect decides how long the pause between two tries of a task is, before anybody can tell it what
the relay wants; so a try that comes too early waits for the rest, before it submits anything.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from anyio.from_thread import check_cancelled

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.progress import Memory
from prefect_smtp_relay.run_log import run_logger
from prefect_smtp_relay.transports.waiting import wait_until

LONGEST_SECONDS = 15 * 60.0
"""No try waits longer, whatever the relay says."""


@dataclass(frozen=True)
class Hold:
    """What a relay asked for.

    Args:
        relay: its name; another one may be asked at once.
        until: of ``time.monotonic``.
        error: in which it said so.
    """

    relay: str
    until: float
    error: EmailError


_holds: Memory[Hold] = Memory()

forget = _holds.forget


def note(seed: str, error: EmailError) -> None:
    """Keep how long the next try has to wait, if the relay said so.

    Args:
        seed: of the mail's Message-ID.
        error: of the present try; it names the relay.
    """
    if error.retry_after is None:
        return
    until = time.monotonic() + min(error.retry_after, LONGEST_SECONDS)
    _holds.note(seed, Hold(error.relay, until, error.twin()))


def is_asked_for(seed: str) -> bool:
    """Whether a relay wanted this mail to wait.

    Args:
        seed: of its Message-ID.
    """
    return _holds.recall(seed) is not None


def observe(seeds: Iterable[str], relay: str, patience: float = LONGEST_SECONDS) -> None:
    """Wait until each of these mails may be submitted.

    Args:
        seeds: of their Message-IDs.
        relay: to whom they go now.
        patience: the longest wait, in seconds.

    Raises:
        EmailError: the wait would be longer; what the relay said in the earlier try, with the
            rest of the wait as ``retry_after``.
    """
    held = [hold for seed in seeds if (hold := _holds.recall(seed)) and hold.relay == relay]
    last = max(held, key=lambda hold: hold.until, default=None)
    if last is None or (left := last.until - time.monotonic()) <= 0:
        return
    if left > patience:
        error = last.error.twin()
        error.retry_after = left
        raise error
    run_logger().info("%s takes no mail for another %.0f seconds: waiting.", relay, left)
    wait_until(last.until, _end_if_cancelled)


def _end_if_cancelled() -> None:
    """Follow the async caller, whose cancellation does not reach this thread by itself."""
    try:
        check_cancelled()
    except RuntimeError:
        return  # a sync caller: this is no thread of AnyIO's
