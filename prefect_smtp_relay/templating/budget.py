"""How much one template may do, and where what it writes lands: one `Run` for each."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar

from prefect_smtp_relay.exceptions import InvalidTemplate
from prefect_smtp_relay.templating.places import Place

T = TypeVar("T")

MOST_CPU_SECONDS = 2.0
"""Of one template; an incident mail takes a few milliseconds."""

MOST_BUILT = 1_000_000
"""Characters and list items that one template may build, what it throws away included."""


class Run:
    """One template at work.

    The time is that of this thread's CPU: a busy machine makes no template fail.

    Args:
        place: where the output lands.
        names: of the variables there are, for errors.
    """

    def __init__(self, place: Place, names: Iterable[str]) -> None:
        self.place = place
        self.names = tuple(names)
        self._built = 0
        self._give_up_at = time.thread_time() + MOST_CPU_SECONDS

    def charge(self, size: int = 1) -> None:
        """Count what is built or done.

        Args:
            size: characters or items; 1 for a step that builds nothing.

        Raises:
            InvalidTemplate: it is too much in all, or took too long.
        """
        self._built += size
        if self._built > MOST_BUILT:
            raise InvalidTemplate(
                f"builds more than {MOST_BUILT:,} characters and list items. Write less in its"
                " loops, or attach a file."
            )
        self.look_at_clock()

    def look_at_clock(self) -> None:
        """End what takes too long.

        Raises:
            InvalidTemplate: it did.
        """
        if time.thread_time() > self._give_up_at:
            raise InvalidTemplate(
                f"takes more than {MOST_CPU_SECONDS:g} s. Take loops out of its loops."
            )

    def pace(self, items: Iterable[T]) -> Iterator[T]:
        """Count each item that is taken from an iterable."""
        for item in items:
            self.charge()
            yield item


_current: ContextVar[Run] = ContextVar("run")


def current_run() -> Run:
    """The template that this thread is filling in."""
    return _current.get()


start_run, end_run = _current.set, _current.reset
