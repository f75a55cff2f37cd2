"""What a check of a relay found, as Prefect's UI shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prefect_smtp_relay.blocks.documents import Connected
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.flows.form_titles import quote_with_titles
from prefect_smtp_relay.rendering.quoting import code_block, escape_markdown
from prefect_smtp_relay.transports.check_report import Report, Step


@dataclass(frozen=True)
class RelayCheck:
    """One relay, checked.

    Args:
        relay: ``smtp/NAME``.
        report: what was found; None where the block document itself is wrong.
        error: what is wrong with the document, or empty.
    """

    relay: str
    report: Report | None = None
    error: str = ""

    @property
    def problem(self) -> str:
        """Why the relay would not take a mail, and what to change; empty where it would."""
        if self.report is None:
            return self.error
        failed = _failed_step(self.report)
        if failed is None:
            return ""
        found = f"{self.relay}: {failed.name}: {failed.detail}"
        words = self.report.recommendation.words
        return f"{found} Recommended: {' '.join(words)}" if words else found

    def markdown(self) -> str:
        """Every step, and what to change; only what a server says is in it, and no secret."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        ready = "would not take a mail" if self.problem else "is ready to take mail"
        yield f"# {escape_markdown(self.relay)} {ready}\n"
        if self.report is None:
            yield quote_with_titles(self.error)
            return
        if failed := _failed_step(self.report):
            yield f"**{escape_markdown(failed.name)}**: {quote_with_titles(failed.detail)}\n"
        yield f"Checked: {escape_markdown(self.report.transport)}. No message was submitted.\n"
        yield "| Step | Outcome | Found | Time |\n|-|-|-|-:|"
        yield from map(_row, self.report.steps)
        yield from _advice(self.report)


def check(connected: Connected) -> RelayCheck:
    """Check a relay; what is wrong with its block document is a finding as well."""
    try:
        return RelayCheck(connected.name, connected.load().check())
    except EmailError as error:
        return RelayCheck(connected.name, error=str(error))


def _failed_step(report: Report) -> Step | None:
    return next((step for step in report.steps if step.outcome == "failed"), None)


def _row(step: Step) -> str:
    outcome = step.outcome if step.outcome in ("ok", "skipped") else f"**{step.outcome}**"
    time = f"{step.milliseconds:.1f}\N{NO-BREAK SPACE}ms"
    return (
        f"| {escape_markdown(step.name)} | {outcome} | {quote_with_titles(step.detail)} | {time} |"
    )


def _advice(report: Report) -> Iterator[str]:
    if not report.recommendation:
        return
    yield "\n## Recommended\n"
    yield from (f"- {quote_with_titles(words)}" for words in report.recommendation.words)
    if report.recommendation.python:
        yield f"\nThe same block in Python:\n\n{code_block(report.recommendation.python)}"
