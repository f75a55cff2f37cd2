"""A report of a check, as lines."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from prefect_smtp_relay.cli.answer import Line, beside
from prefect_smtp_relay.transports.check_report import Report, Step

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}
_NOT_REACHED = "not reached"


def describe_report(report: Report) -> Iterator[Line]:
    """One line a step, then what to change."""
    yield Text(report.transport, style="bold")
    taken = [step for step in report.steps if step.detail != _NOT_REACHED]
    width = max(len(step.name) for step in taken)
    for step in taken:
        yield beside(_label(step, width), step.detail)
    left_out = [step.name for step in report.steps if step.detail == _NOT_REACHED]
    if left_out:
        label = Text.assemble("  ", ("skipped", _STYLES["skipped"]), "  ")
        yield beside(label, f"{_NOT_REACHED}: {', '.join(left_out)}")
    yield from _describe_recommendation(report)


def _label(step: Step, width: int) -> Text:
    outcome = (f"{step.outcome:<7}", _STYLES[step.outcome])
    return Text.assemble("  ", outcome, f"  {step.name:<{width}}  {step.milliseconds:>7.1f} ms  ")


def _describe_recommendation(report: Report) -> Iterator[Line]:
    recommendation = report.recommendation
    if not recommendation:
        return
    yield "Recommended:"
    for words in recommendation.words:
        yield beside("  - ", words)
    if recommendation.python:
        yield beside("  ", recommendation.python)
