"""Lists in lists, walked through before Python compares, hashes or writes them.

That is done in C, which looks at no clock; and a list may stand in another one many times, so that
few of them make a walk without an end.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from jinja2.tests import TESTS

from prefect_smtp_relay.templating.budget import Run, current_run

WALK = "in"
"""A filter, written by `syntax` around what is compared or hashed."""

_WALKING_TESTS = (
    *("==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", ">=", "ge", "<", "lt"),
    *("lessthan", "<=", "le", "in", "lower", "upper"),
)


def walk(value: Any) -> Any:
    """Give a value once it is known that a walk through it ends in time.

    Raises:
        InvalidTemplate: it does not.
    """
    _walk(value, current_run())
    return value


def _walk(value: Any, run: Run) -> None:
    if isinstance(value, (list, tuple, dict)):
        run.look_at_clock()
        for item in value.values() if isinstance(value, dict) else value:
            _walk(item, run)


def _walking(test: Any) -> Callable[..., bool]:
    @wraps(test)
    def walking(*values: Any) -> bool:
        current_run().look_at_clock()
        return bool(test(*map(walk, values)))

    return walking


BOUNDED_TESTS = {**TESTS, **{name: _walking(TESTS[name]) for name in _WALKING_TESTS}}
"""What a template may ask by ``is``, and by the filters that select."""
