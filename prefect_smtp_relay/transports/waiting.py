"""Waiting that can be broken off, and shortened by a clock that a test hands in."""

from __future__ import annotations

import time
from collections.abc import Callable

from prefect_smtp_relay.process_memory import process_memory

_PIECE_SECONDS = 0.25


class Clock:
    """The time of this process; a test puts another one into `process_memory`."""

    def now(self) -> float:
        """Return seconds from some moment on, as ``time.monotonic``."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def clock() -> Clock:
    """Return the clock of this process."""
    return process_memory.of(Clock)


def wait_until(moment: float, look: Callable[[], object] | None = None) -> None:
    """Wait in short pieces: a task's timeout reaches a thread only between two of them.

    Args:
        moment: by `Clock.now`.
        look: called before each piece; what it raises ends the wait.
    """
    while (left := moment - clock().now()) > 0:
        if look is not None:
            look()
        clock().sleep(min(left, _PIECE_SECONDS))


def wait_for(seconds: float) -> None:
    """Wait so many seconds."""
    wait_until(clock().now() + seconds)
