"""When a mail may be submitted, where its relay asked to wait.

Prefect decides how long the pause between two tries of a task is, before anybody can tell it what
the relay wants; so a try that comes too early waits for the rest, before it submits anything.
"""

from __future__ import annotations

from collections.abc import Iterable

from anyio.from_thread import check_cancelled

from prefect_smtp_relay.delivery.retry_state import RetryState
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.transports.waiting import clock, wait_until

MAX_WAIT_SECONDS = 15 * 60.0
"""No try waits longer, whatever the relay says."""


def not_before(error: EmailError) -> float:
    """Return the moment, by the clock of this process, before which a relay wants no other try."""
    if error.retry_after is None:
        return 0.0
    return clock().now() + min(error.retry_after, MAX_WAIT_SECONDS)


def wait(states: Iterable[RetryState], relay: str, patience: float = MAX_WAIT_SECONDS) -> None:
    """Wait until each of these mails may be submitted; not at all, if that takes too long.

    Args:
        states: of the mails.
        relay: to whom they go now.
        patience: the longest wait, in seconds.
    """
    until = max((_moment(state, relay) for state in states), default=0.0)
    if 0 < (left := until - clock().now()) <= patience:
        run_logger().info("%s takes no mail for another %.0f seconds: waiting.", relay, left)
        wait_until(until, end_if_cancelled)


def check(state: RetryState, relay: str) -> None:
    """Refuse a submission that would come too early.

    Args:
        state: of the mail.
        relay: to whom it goes now.

    Raises:
        EmailError: what the relay said in the earlier try, with the rest of the wait as
            ``retry_after``.
    """
    left = _moment(state, relay) - clock().now()
    if left > 0 and state.error is not None:
        raise state.error.copy(retry_after=left)


def _moment(state: RetryState, relay: str) -> float:
    """Another relay may be asked at once."""
    return state.not_before if state.error and state.error.relay == relay else 0.0


def end_if_cancelled() -> None:
    """Follow the async caller, whose cancellation does not reach this thread by itself."""
    try:
        check_cancelled()
    except RuntimeError:
        return  # a sync caller: this is not a thread of AnyIO's
