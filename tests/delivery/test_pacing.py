"""How long the next try of a mail waits, where its relay said so."""

from __future__ import annotations

from functools import partial

import anyio
import anyio.to_thread
import pytest

from prefect_smtp_relay.delivery import pacing
from prefect_smtp_relay.delivery.retry_state import RetryState
from prefect_smtp_relay.exceptions import TransientFailure
from tests.clock import FastClock

RELAY = "sendgrid/main"


def asked_to_wait(seconds: float | None) -> RetryState:
    """The state of a mail whose relay wants so many seconds."""
    error = TransientFailure("sendgrid://x.test", retry_after=seconds).copy(relay=RELAY)
    return RetryState(error=error, not_before=pacing.not_before(error))


def is_refused(state: RetryState, relay: str = RELAY) -> bool:
    """Whether a submission would come too early."""
    try:
        pacing.check(state, relay)
    except TransientFailure:
        return True
    return False


def test_the_next_try_waits_for_the_rest(fast_clock: FastClock) -> None:
    """The wait counts from when the relay asked for it, and is over then."""
    state = asked_to_wait(60)
    fast_clock.sleep(20)
    pacing.wait([state], RELAY)
    assert fast_clock.now() == pytest.approx(60)
    assert not is_refused(state)


def test_the_longest_wait_of_many_mails_counts(fast_clock: FastClock) -> None:
    """Mails that go together wait for the last of them."""
    pacing.wait([asked_to_wait(0.0), asked_to_wait(6), RetryState()], RELAY)
    assert fast_clock.now() == pytest.approx(6)


@pytest.mark.parametrize("seconds", [None, 0.0])
def test_who_asks_for_nothing_is_not_waited_for(
    fast_clock: FastClock, seconds: float | None
) -> None:
    """An error without a wait leaves the next try to Prefect's own pause."""
    pacing.wait([asked_to_wait(seconds)], RELAY)
    assert not is_refused(asked_to_wait(seconds))
    assert fast_clock.slept == []


def test_another_relay_may_be_asked_at_once(fast_clock: FastClock) -> None:
    """Who connects another relay meanwhile does not wait for the first one."""
    state = asked_to_wait(60)
    pacing.wait([state], "smtp/main")
    assert is_refused(state)
    assert not is_refused(state, relay="smtp/main")
    assert fast_clock.slept == []


def test_a_caller_without_that_patience_does_not_wait_and_is_refused(
    fast_clock: FastClock,
) -> None:
    """The error says how much of the wait is left."""
    state = asked_to_wait(60)
    fast_clock.sleep(20)
    pacing.wait([state], RELAY, patience=1)
    with pytest.raises(TransientFailure) as caught:
        pacing.check(state, RELAY)
    assert caught.value.retry_after == pytest.approx(40)


def test_no_wait_is_longer_than_a_quarter_of_an_hour(fast_clock: FastClock) -> None:
    """A relay that wants a day is asked again after fifteen minutes."""
    pacing.wait([asked_to_wait(86_400)], RELAY)
    assert fast_clock.now() == pytest.approx(900)


def test_an_async_caller_that_is_cancelled_is_not_waited_for() -> None:
    """The thread follows its caller, long before the wait is over."""
    state = asked_to_wait(60)

    async def wait() -> bool:
        with anyio.move_on_after(0.3) as scope:
            await anyio.to_thread.run_sync(partial(pacing.wait, [state], RELAY))
        return scope.cancelled_caught

    assert anyio.run(wait)
    assert is_refused(state)
