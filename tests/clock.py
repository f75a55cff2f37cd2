"""A clock that is handed in, so that no test waits."""

from __future__ import annotations

from prefect_smtp_relay.transports.waiting import Clock


class FastClock(Clock):
    """A clock whose time goes on while somebody sleeps, and only then.

    Attributes:
        slept: the seconds of each sleep.
    """

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        """Return the seconds that were slept."""
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
