"""A report of a check, as the lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from prefect_smtp_relay.cli.answer import terminal_width
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.check_table import WIDTH, table

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


def describe_report(report: Report) -> Iterator[Text]:
    """The table of the report; its outcomes have colours where the terminal has them."""
    head, *rows = table(report, terminal_width() or WIDTH)
    yield Text(head, style="bold")
    for row in rows:
        text = Text(row)
        for outcome, style in _STYLES.items():
            text.highlight_regex(rf"^  {outcome}\b", style)
        yield text
