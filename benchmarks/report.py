"""Tables and verdicts, in plain text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

_NAME_WIDTH = 34


class Named(Protocol):
    """Whatever is compared."""

    @property
    def name(self) -> str:
        """As in the table."""


@dataclass(frozen=True)
class Section:
    """One table.

    Args:
        title: what was measured.
        unit: of the figures; less is better.
        figures: by the contestant's name.
        baseline: whom the others are compared with.
    """

    title: str
    unit: str
    figures: Mapping[str, float]
    baseline: Named

    def print(self) -> None:
        """Print the figures, and how many times less each is than the baseline's."""
        print(f"\n{self.title}\n")
        print(f"{'contestant':<{_NAME_WIDTH}}{self.unit:>12}{'ratio':>9}")
        base = self.figures.get(self.baseline.name)
        for name, figure in self.figures.items():
            ratio = f"{base / figure:.2f}" if base else "-"
            print(f"{name:<{_NAME_WIDTH}}{figure:>12.3f}{ratio:>9}", flush=True)


@dataclass(frozen=True)
class Goal:
    """What a section should show.

    Args:
        name: for the report.
        section: where both are measured.
        ours, theirs: the contestants.
        bound: theirs divided by ours is at least this much (``times less``), or ours divided by
            theirs at most (``of theirs``).
    """

    name: str
    section: Section
    ours: Named
    theirs: Named
    bound: float
    kind: Literal["times less", "of theirs"] = "times less"

    def verdict(self) -> str:
        """One line: the goal, what was measured, and whether that is enough."""
        missing = [c for c in (self.ours, self.theirs) if c.name not in self.section.figures]
        if missing:
            return f"{self._wanted()}: not measured, {missing[0].name} is not installed"
        ours, theirs = (self.section.figures[c.name] for c in (self.ours, self.theirs))
        if self.kind == "times less":
            measured, met = theirs / ours, theirs / ours >= self.bound
        else:
            measured, met = ours / theirs, ours / theirs <= self.bound
        return f"{self._wanted()}: measured {measured:.2f}, {'met' if met else 'NOT met'}"

    def _wanted(self) -> str:
        if self.kind == "times less":
            return f"{self.name}: at least {self.bound:g} times less than {self.theirs.name}"
        return f"{self.name}: at most {self.bound:g} of {self.theirs.name}"


@dataclass(frozen=True)
class Limit:
    """What a figure should not exceed.

    Args:
        name: for the report.
        measured: the figure.
        at_most: its limit.
        unit: of both.
    """

    name: str
    measured: float
    at_most: float
    unit: str

    def verdict(self) -> str:
        """One line: the limit, what was measured, and whether that is within it."""
        verdict = (
            "met" if round(self.measured, 2) <= round(self.at_most, 2) else "NOT met"
        )  # as printed
        return (
            f"{self.name}: at most {self.at_most:.2f} {self.unit}:"
            f" measured {self.measured:.2f}, {verdict}"
        )
