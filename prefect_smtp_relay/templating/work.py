"""What one template does, counted while it does it: it is bounded by what it becomes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from decimal import Decimal
from typing import TypeVar

from markupsafe import Markup

from prefect_smtp_relay.exceptions import InvalidTemplate
from prefect_smtp_relay.rendering.values import MAX_TEXT_BYTES
from prefect_smtp_relay.templating.context import MAX_BITS, Record
from prefect_smtp_relay.templating.places import Place

T = TypeVar("T")

_MAX_BUILT = 8
"""Times as much may be built on the way, what is thrown away included."""

_ITEM = 32
"""What an item of a list, a round of a loop or a call counts, beside its text."""

_MAX_CPU_SECONDS = 2.0
"""An incident mail takes milliseconds."""


class Work:
    """One template at work.

    Args:
        place: where the output lands.
        names: of the variables there are, for errors.
        max_bytes: of the filled text.
        clock: seconds of this thread's work, so that a busy machine fails no template.
    """

    def __init__(
        self,
        place: Place,
        names: Iterable[str] = (),
        max_bytes: int = MAX_TEXT_BYTES,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self.names = tuple(names)
        self._place = place
        self._max_bytes = max_bytes
        self._written = self._built = 0
        self._clock = clock
        self._ends_at = clock() + _MAX_CPU_SECONDS

    def write(self, text: str) -> Markup:
        """Write a value for the place where it lands; `Markup` is for that place already.

        Raises:
            InvalidTemplate: the filled text gets too long.
        """
        size = self._place.size(text)
        self._count(size)
        if not isinstance(text, Markup):
            text = Markup(self._place.write(text))  # noqa: S704  # the place has escaped it
            self._count(self._place.size(text) - size)
        return text

    def _count(self, size: int) -> None:
        self._written += size
        if self._written > self._max_bytes:
            raise InvalidTemplate(
                f"becomes longer than {self._max_bytes:,} bytes",
                "Show less of its values, attach a file, or raise the setting"
                " `max_text_megabytes`.",
            )

    def charge(self, size: int = _ITEM) -> None:
        """Count what is built or done.

        Raises:
            InvalidTemplate: it is too much in all, or takes too long.
        """
        self._built += size
        if self._built > _MAX_BUILT * self._max_bytes:
            raise InvalidTemplate("builds too much", "Write less in its loops, or attach a file.")
        if self._clock() > self._ends_at:
            problem = f"takes more than {_MAX_CPU_SECONDS:g} s"
            raise InvalidTemplate(problem, "Use fewer loops within loops.")

    def built(self, value: T) -> T:
        """Count a value with all that is in it, and give it back.

        What is in a list twice counts twice: Python writes and compares it as often.
        """
        if isinstance(value, str):
            self.charge(len(value))
        elif isinstance(value, Decimal):
            _check_exponent(value)
        elif isinstance(value, (list, tuple, dict)) and not isinstance(value, Record):
            for item in [*value, *value.values()] if isinstance(value, dict) else value:
                self.charge()
                self.built(item)
        return value

    def paced(self, items: Iterable[T]) -> Iterator[T]:
        """Count each item that is taken from an iterable."""
        for item in items:
            self.charge()
            yield self.built(item)


def _check_exponent(value: Decimal) -> None:
    """Refuse a number that few characters write, and a whole number of a million digits is."""
    if value.is_finite() and abs(value.adjusted()) > MAX_BITS:
        raise InvalidTemplate("a number gets too large", "Compute it before.")


_current: ContextVar[Work] = ContextVar("work")


def current_work() -> Work:
    """The template that this thread is filling in."""
    return _current.get()


start_work, end_work = _current.set, _current.reset
