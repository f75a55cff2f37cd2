"""Until when the next try of a mail has to wait, where its relay said so.

Prefect decides how long the pause between two tries of a task is, before anybody can tell it what
the relay wants; so a try that comes too early waits for the rest, before it submits anything.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from anyio.from_thread import check_cancelled

from prefect_smtp_relay.delivery.progress import Memory
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.runtime.log import run_logger
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
    _holds.note(seed, Hold(error.relay, until, error.copy()))


def is_noted(seed: str) -> bool:
    """Tell whether a relay asked to wait with this mail."""
    return _holds.recall(seed) is not None


def wait(seeds: Iterable[str], relay: str, patience: float = LONGEST_SECONDS) -> None:
    """Wait until each of these mails may be submitted; not at all, if that takes too long.

    Args:
        seeds: of their Message-IDs.
        relay: to whom they go now.
        patience: the longest wait, in seconds.
    """
    until = max((hold.until for seed in seeds if (hold := _of(seed, relay))), default=0.0)
    if 0 < (left := until - time.monotonic()) <= patience:
        run_logger().info("%s takes no mail for another %.0f seconds: waiting.", relay, left)
        wait_until(until, _end_if_cancelled)


def check(seed: str, relay: str) -> None:
    """Refuse a submission that would come too early.

    Args:
        seed: of the mail's Message-ID.
        relay: to whom it goes now.

    Raises:
        EmailError: what the relay said in the earlier try, with the rest of the wait as
            ``retry_after``.
    """
    hold = _of(seed, relay)
    if hold is not None and (left := hold.until - time.monotonic()) > 0:
        error = hold.error.copy()
        error.retry_after = left
        raise error


def _of(seed: str, relay: str) -> Hold | None:
    hold = _holds.recall(seed)
    return hold if hold is not None and hold.relay == relay else None


def _end_if_cancelled() -> None:
    """Follow the async caller, whose cancellation does not reach this thread by itself."""
    try:
        check_cancelled()
    except RuntimeError:
        return  # a sync caller: this is no thread of AnyIO's
