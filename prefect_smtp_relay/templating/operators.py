"""What is built by operators and `range`, within bounds."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sized
from typing import Any

from prefect_smtp_relay.exceptions import InvalidTemplate
from prefect_smtp_relay.templating.budget import current_run

_MOST_BITS = 1024
_LONGEST_RANGE = 10_000


def bounded_range(*bounds: int) -> range:
    """`range`, of at most 10,000 numbers."""
    numbers = range(*bounds)
    if len(numbers) > _LONGEST_RANGE:
        raise InvalidTemplate(f"range has more than {_LONGEST_RANGE:,} numbers. Shorten it.")
    return numbers


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, Sized) and isinstance(right, Sized):
        current_run().charge(len(left) + len(right))
    return _checked(left + right)


def _multiply(left: Any, right: Any) -> Any:
    for sized, times in ((left, right), (right, left)):
        if isinstance(sized, Sized) and isinstance(times, int):
            current_run().charge(len(sized) * max(times, 0))
    return _checked(left * right)


def _power(base: Any, exponent: Any) -> Any:
    is_whole = isinstance(base, int) and isinstance(exponent, int)
    if is_whole and base.bit_length() * abs(exponent) > _MOST_BITS:
        raise InvalidTemplate("a power is too large a number. Compute it before.")
    return base**exponent


def _remainder(left: Any, right: Any) -> Any:
    if isinstance(left, (str, bytes)):
        raise InvalidTemplate("% formats no text here. Put {{ }} where the values go.")
    return left % right


def _checked(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise InvalidTemplate("a number gets too large. Compute it before.")
    return value


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "-": operator.sub,
    "*": _multiply,
    "/": operator.truediv,
    "//": operator.floordiv,
    "**": _power,
    "%": _remainder,
}
"""All that Jinja2 can have intercepted."""
