"""What checking a relay found, step by step: plain values, without a secret, that survive JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from prefect_smtp_relay.exceptions import DeliveryError, EmailError
from prefect_smtp_relay.transports.check_table import NOT_REACHED, table

StepOutcome = Literal["ok", "warning", "failed", "skipped"]


class Step(BaseModel):
    """One step of a check."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description='For example "DNS" or "login".')
    outcome: StepOutcome = Field(description="A warning does not stop mail; a failure does.")
    milliseconds: float = Field(default=0.0, description="How long it took.")
    detail: str = Field(default="", description="What was found, and what to change.")
    is_refused: bool = Field(
        default=False,
        exclude=True,  # the detail says so, with the reply code
        description="Whether the other side refused it by a reply.",
    )


class Recommendation(BaseModel):
    """What to change in the block."""

    model_config = ConfigDict(frozen=True)

    settings: dict[str, Any] = Field(
        default_factory=dict, description="The fields that should differ, with their new values."
    )
    words: tuple[str, ...] = Field(default=(), description="The same and its reasons, in words.")
    python: str = Field(default="", description="The whole block as Python, without its secrets.")

    def __bool__(self) -> bool:
        return bool(self.settings or self.words)


class Report(BaseModel):
    """What checking a relay found."""

    model_config = ConfigDict(frozen=True)

    transport: str = Field(description='What was checked, such as "smtp://mx.example.org:587".')
    steps: tuple[Step, ...] = Field(description="In the order in which they were taken.")
    recommendation: Recommendation = Field(default=Recommendation(), description="What to change.")

    @property
    def has_passed(self) -> bool:
        """Whether no step failed, so that the relay would take a mail."""
        return all(step.outcome != "failed" for step in self.steps)

    def __str__(self) -> str:
        """The steps as a table of at most 80 columns, then what to change."""
        return "\n".join(table(self))

    def step(self, name: str) -> Step:
        """Return the step of that name.

        Raises:
            KeyError: the check has none.
        """
        found = {step.name: step for step in self.steps}
        return found[name]


class Finding:
    """What a running step has found so far; a step may find that it was another one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.outcome: StepOutcome = "ok"
        self.detail = ""
        self.is_refused = False

    def ok(self, detail: str) -> None:
        """Note what was found."""
        self.detail = detail

    def warn(self, detail: str) -> None:
        """Note what should be better, and does not stop mail."""
        self.outcome, self.detail = "warning", detail

    def fail(self, detail: str) -> None:
        """Note what stops mail."""
        self.outcome, self.detail = "failed", detail

    def skip(self, reason: str) -> None:
        """Note why there was nothing to do."""
        self.outcome, self.detail = "skipped", reason


class StepLog:
    """Takes the time of each step, and notes its failure.

    Args:
        names: every step of the check, in the usual order.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._steps: list[Step] = []

    @contextmanager
    def step(self, name: str) -> Iterator[Finding]:
        """Take one step; an error of ours makes it a failed one, and goes on to the caller."""
        finding, started = Finding(name), time.perf_counter()
        try:
            yield finding
        except EmailError as error:
            finding.fail(error.detail if isinstance(error, DeliveryError) else str(error))
            finding.is_refused = isinstance(error, DeliveryError) and error.code is not None
            raise
        finally:
            self._steps.append(
                Step(
                    name=finding.name,
                    outcome=finding.outcome,
                    milliseconds=round(1000 * (time.perf_counter() - started), 1),
                    detail=finding.detail,
                    is_refused=finding.is_refused,
                )
            )

    def forgive(self, reason: str) -> None:
        """Make warnings of the failures so far: what follows took their place.

        Args:
            reason: what follows, as a sentence.
        """
        self._steps = [
            step.model_copy(update={"outcome": "warning", "detail": f"{step.detail} {reason}"})
            if step.outcome == "failed"
            else step
            for step in self._steps
        ]

    def finish(self) -> tuple[Step, ...]:
        """Return the steps; those never reached are skipped ones."""
        taken = {step.name for step in self._steps}
        missing = (name for name in self._names if name not in taken)
        skipped = (Step(name=name, outcome="skipped", detail=NOT_REACHED) for name in missing)
        return (*self._steps, *skipped)
