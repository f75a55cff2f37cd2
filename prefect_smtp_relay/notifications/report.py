"""A run's end as subject and Markdown. Text from outside is escaped, or stands in code blocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from string import Template
from typing import Literal

from prefect_smtp_relay.rendering.quoting import clean, code_block, escape_markdown

_DEFAULT_SUBJECT = "$state: $kind $name ($run)"
_LONGEST_SUBJECT = 200


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What became of a flow run or task run.

    Args:
        kind: ``flow`` or ``task``.
        name, run_name: of the flow or task, and of its run.
        state, state_type: for example ``TimedOut`` and ``FAILED``.
        message: the state's.
        started_at, duration: None where unknown.
        parent: the flow run around a task run, or blank.
        deployment: its name, or blank.
        parameters: one line each, secrets masked.
        log: the last lines, oldest first.
        url: the run's page in Prefect's UI, or blank where the UI's address is not known.
    """

    kind: Literal["flow", "task"]
    name: str
    run_name: str
    state: str
    state_type: str
    message: str = ""
    started_at: datetime | None = None
    duration: timedelta | None = None
    parent: str = ""
    deployment: str = ""
    parameters: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    url: str = ""

    @property
    def subject(self) -> str:
        """For example ``Failed: flow nightly-import (amber-fox)``."""
        return self.format_subject(_DEFAULT_SUBJECT)

    def format_subject(self, pattern: str) -> str:
        """Fill in a subject, and keep it in one line of at most 200 characters.

        Args:
            pattern: may hold ``$state``, ``$kind``, ``$name`` and ``$run``.
        """
        filled = Template(pattern).safe_substitute(
            state=self.state, kind=self.kind, name=self.name, run=self.run_name
        )
        printable = "".join(c if c.isprintable() else " " for c in clean(filled))
        line = " ".join(printable.split())
        return line if len(line) <= _LONGEST_SUBJECT else f"{line[: _LONGEST_SUBJECT - 1]}…"

    @property
    def body(self) -> str:
        """The report in Markdown."""
        sections = [
            f"# {escape_markdown(self.state)}: {self.kind} {escape_markdown(self.name)}",
            self._facts(),
            code_block(self.message) if self.message.strip() else "",
            _section("Parameters", self.parameters),
            _section("Last log lines", self.log),
            f'[Open the {self.kind} run in Prefect](<{self.url}> "btn")' if self.url else "",
        ]
        return "\n\n".join(section for section in sections if section)

    def _facts(self) -> str:
        facts = {
            "Run": self.run_name,
            "State": _name_state(self.state, self.state_type),
            "In flow run": self.parent,
            "Deployment": self.deployment,
            "Started": _write_time(self.started_at),
            "Duration": _write_duration(self.duration),
        }
        return "\n".join(
            f"- **{name}**: {escape_markdown(value)}" for name, value in facts.items() if value
        )


def _section(title: str, lines: tuple[str, ...]) -> str:
    return f"## {title}\n\n{code_block(chr(10).join(lines))}" if lines else ""


def _name_state(name: str, state_type: str) -> str:
    return name if name.upper() == state_type else f"{name} ({state_type})"


def _write_time(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else ""


def _write_duration(duration: timedelta | None) -> str:
    """``1 d 2 h 3 min``: the two or three parts that say most."""
    if duration is None or duration < timedelta(0):
        return ""
    seconds = duration.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = {"d": days, "h": hours, "min": minutes, "s": 0 if hours or days else seconds}
    return " ".join(f"{value} {unit}" for unit, value in parts.items() if value)
