"""The benchmark of flows measures what it says it does."""

from __future__ import annotations

import pytest

from benchmarks.flow import Cost
from benchmarks.report import Limit


def test_the_cost_of_several_runs_is_their_median() -> None:
    """One slow run, or one with more requests, does not change a figure."""
    costs = [Cost(1.0, 2.0, 1.0), Cost(900.0, 3.0, 1.0), Cost(2.0, 2.5, 9.0)]
    assert Cost.median(costs) == Cost(2.0, 2.5, 1.0)


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [(1.5, "measured 1.50, met"), (1.504, "measured 1.50, met"), (1.51, "measured 1.51, NOT met")],
)
def test_a_limit_is_compared_as_it_is_printed(measured: float, verdict: str) -> None:
    """What reads as the limit itself is within it."""
    assert Limit("CPU", measured, 1.5, "ms a mail").verdict().endswith(verdict)
