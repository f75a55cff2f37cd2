"""The report of a check as a table of plain text, for a terminal of any width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prefect_smtp_relay.transports.redaction import visible

if TYPE_CHECKING:
    from prefect_smtp_relay.transports.check_report import Report, Step

WIDTH = 80
"""Of a table that is printed anywhere but in a terminal, in characters."""

NOT_REACHED = "not reached"
"""The detail of a step that an earlier failure left out."""

_NARROWEST = 30
_INDENT = 4


def beside(label: str, text: str, width: int) -> str:
    """Put a text next to a label, broken at spaces, and indented.

    Args:
        label: with the space after it.
        text: of any length. Where too narrow a column is left, it begins in a line of its own.
        width: of each line, in characters; under 30, nothing is broken. A longer word stays whole.
    """
    if width < _NARROWEST:
        return label + text
    is_beside = width - len(label) >= _NARROWEST
    column = len(label) if is_beside else _INDENT
    rows = textwrap.wrap(
        text,
        width - column,
        break_on_hyphens=False,
        break_long_words=False,  # whoever copies the name of a setting or a path gets all of it
    ) or [""]
    start = label if is_beside else f"{label.rstrip()}\n{' ' * column}"
    return start + f"\n{' ' * column}".join(rows)


def table(report: Report, width: int = WIDTH) -> Iterator[str]:
    """Write one row a step, then what to change.

    Args:
        report: of a check.
        width: of each line, in characters.

    Returns:
        The rows, each of one line or more.
    """
    yield report.transport
    taken = [step for step in report.steps if step.detail != NOT_REACHED]
    names = max((len(step.name) for step in taken), default=0)
    for step in taken:
        yield beside(_label(step, names), visible(step.detail), width)
    if left_out := [step.name for step in report.steps if step.detail == NOT_REACHED]:
        yield beside("  skipped  ", f"{NOT_REACHED}: {', '.join(left_out)}", width)
    if report.recommendation:
        yield "Recommended:"
    for words in report.recommendation.words:
        yield beside("  - ", visible(words), width)
    if report.recommendation.python:
        yield beside("  ", visible(report.recommendation.python), width)


def _label(step: Step, width: int) -> str:
    return f"  {step.outcome:<7}  {step.name:<{width}}  {step.milliseconds:>7.1f} ms  "
