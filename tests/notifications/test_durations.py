"""Durations as people say them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from prefect_smtp_relay import format_duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0.0 s"),
        (1.13, "1.1 s"),
        (59.9, "59 s"),
        (61, "1 min 1 s"),
        (45 * 60, "45 min"),
        (83 * 60 + 4, "1 h 23 min"),
        (3 * 3600, "3 h"),
        (26 * 3600 + 59, "1 d 2 h"),
        (86400 * 40 + 60, "40 d"),
    ],
)
def test_the_two_units_that_say_most(seconds: float, said: str) -> None:
    """One or two units, none of them zero."""
    assert format_duration(timedelta(seconds=seconds)) == said
