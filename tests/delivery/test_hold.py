"""How long the next try of a mail waits, where its relay said so."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from functools import partial

import anyio
import anyio.to_thread
import pytest

from prefect_smtp_relay.delivery import hold
from prefect_smtp_relay.exceptions import TransientFailure

RELAY = "sendgrid/main"


@pytest.fixture
def seed() -> Iterator[str]:
    """A mail of its own."""
    seed = str(uuid.uuid4())
    yield seed
    for part in (seed, f"{seed}:0", f"{seed}:1"):
        hold.forget(part)


def ask_to_wait(seed: str, seconds: float | None) -> None:
    """Note that a relay wants so many seconds."""
    error = TransientFailure("sendgrid://x.test")
    error.relay, error.retry_after = RELAY, seconds
    hold.note(seed, error)


def is_held(seed: str, relay: str = RELAY) -> bool:
    """Whether a submission is turned away."""
    try:
        hold.check(seed, relay)
    except TransientFailure:
        return True
    return False


def test_the_next_try_waits_for_the_rest(seed: str) -> None:
    """The wait counts from when the relay asked for it, and is over then."""
    started = time.monotonic()
    ask_to_wait(seed, 0.6)
    hold.wait([seed], RELAY)
    assert time.monotonic() - started >= 0.6
    assert not is_held(seed)


def test_the_longest_wait_of_many_mails_counts(seed: str) -> None:
    """Mails that go together wait for the last of them."""
    ask_to_wait(f"{seed}:0", 0.0)
    ask_to_wait(f"{seed}:1", 0.6)
    started = time.monotonic()
    hold.wait([f"{seed}:{number}" for number in range(3)], RELAY)
    assert time.monotonic() - started >= 0.5


@pytest.mark.parametrize("seconds", [None, 0.0])
def test_who_asks_for_nothing_is_not_waited_for(seed: str, seconds: float | None) -> None:
    """An error without a wait leaves the next try to Prefect's own pause."""
    ask_to_wait(seed, seconds)
    assert not is_held(seed)


def test_another_relay_may_be_asked_at_once(seed: str) -> None:
    """Who connects another relay meanwhile does not wait for the first one."""
    ask_to_wait(seed, 60)
    assert is_held(seed)
    assert not is_held(seed, relay="smtp/main")


def test_what_is_forgotten_is_not_waited_for(seed: str) -> None:
    """After the last try nothing is left."""
    ask_to_wait(seed, 60)
    hold.forget(seed)
    assert not is_held(seed)


def test_a_caller_without_that_patience_does_not_wait_and_is_refused(seed: str) -> None:
    """The error says how much of the wait is left; noting it again does not make it longer."""
    ask_to_wait(seed, 60)
    for _ in range(2):
        hold.wait([seed], RELAY, patience=1)
        with pytest.raises(TransientFailure) as caught:
            hold.check(seed, RELAY)
        left = caught.value.retry_after
        assert left is not None
        assert 30 < left <= 60
        hold.note(seed, caught.value)


def test_no_wait_is_longer_than_a_quarter_of_an_hour(seed: str) -> None:
    """A relay that wants a day is asked again after fifteen minutes."""
    ask_to_wait(seed, 86_400)
    with pytest.raises(TransientFailure) as caught:
        hold.check(seed, RELAY)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after <= 900


def test_an_async_caller_that_is_cancelled_is_not_held_up(seed: str) -> None:
    """The thread follows its caller, long before the wait is over."""
    ask_to_wait(seed, 60)

    async def wait() -> bool:
        with anyio.move_on_after(0.3) as scope:
            await anyio.to_thread.run_sync(partial(hold.wait, [seed], RELAY))
        return scope.cancelled_caught

    started = time.monotonic()
    assert anyio.run(wait)
    assert time.monotonic() - started < 10
