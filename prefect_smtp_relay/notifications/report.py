"""A run's end as subject and Markdown. Text from outside is escaped, or in code blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from string import Template
from typing import Literal

from prefect_smtp_relay.notifications.causes import say_state, without_engine_words
from prefect_smtp_relay.notifications.durations import format_duration
from prefect_smtp_relay.rendering.quoting import clean, code_block, escape_markdown

_DEFAULT_SUBJECT = "$state: $kind $name ($run)"
_MAX_SUBJECT = 200


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What became of a flow run or task run.

    Args:
        kind: ``flow`` or ``task``.
        name, run_name: of the flow or task, and of its run.
        state, state_type: for example ``TimedOut`` and ``FAILED``.
        message: the state's.
        started_at, duration: None where unknown.
        attempt: for example ``3 of 3``, where the run may be retried.
        failed_in: the task that failed, and the line.
        last_success: when a run of the same flow and deployment last completed.
        parent: the flow run around a task run.
        deployment: its name.
        traceback: one line a frame, innermost last.
        parameters: one line each, secrets masked.
        log: the last lines, oldest first.
        url, flow_url: the pages of the run and the flow in Prefect's UI, where its address is
            known.

    What is unknown is empty.
    """

    kind: Literal["flow", "task"]
    name: str
    run_name: str
    state: str
    state_type: str
    message: str = ""
    started_at: datetime | None = None
    duration: timedelta | None = None
    attempt: str = ""
    failed_in: str = ""
    last_success: datetime | None = None
    parent: str = ""
    deployment: str = ""
    traceback: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    url: str = ""
    flow_url: str = ""

    @property
    def subject(self) -> str:
        """For example ``Failed: flow nightly-import (amber-fox)``."""
        return self.format_subject(_DEFAULT_SUBJECT)

    def format_subject(self, pattern: str) -> str:
        """Fill in a subject, and keep it in one line of at most 200 characters.

        Args:
            pattern: may contain ``$state``, ``$kind``, ``$name`` and ``$run``.
        """
        filled = Template(pattern).safe_substitute(
            state=self.state, kind=self.kind, name=self.name, run=self.run_name
        )
        printable = "".join(c if c.isprintable() else " " for c in clean(filled))
        line = " ".join(printable.split())
        return line if len(line) <= _MAX_SUBJECT else f"{line[: _MAX_SUBJECT - 1]}…"

    @property
    def thread(self) -> str:
        """One thread for each flow and deployment, or each task."""
        return " ".join(clean(f"prefect {self.kind} {self.name} {self.deployment}").split())

    @property
    def preheader(self) -> str:
        """The error, for inboxes to show beside the subject."""
        return " ".join(clean(self.error).split())[:_MAX_SUBJECT]

    @property
    def error(self) -> str:
        """The state's message without the words that Prefect's engine puts before an exception."""
        return without_engine_words(self.message)

    @property
    def body(self) -> str:
        """The report in Markdown: what went wrong, where to look, then the details."""
        sections = [
            f"# {escape_markdown(f'{self.name} {say_state(self.state)}')}",
            code_block(self.error) if self.error.strip() else "",
            self._buttons(),
            self._facts(),
            _section("Traceback, innermost last", self.traceback),
            _section("Last log lines (UTC)", self.log),
            _section("Parameters", self.parameters),
        ]
        return "\n\n".join(section for section in sections if section)

    def _buttons(self) -> str:
        name = escape_markdown(self.name)
        links = {"Open the run in Prefect": self.url, f"Runs of {name}": self.flow_url}
        return " ".join(f'[{text}](<{url}> "btn")' for text, url in links.items() if url)

    def _facts(self) -> str:
        ran = f", ran {format_duration(self.duration)}" if self.duration is not None else ""
        facts = {
            "Failed in": self.failed_in,
            "Run": f"{self.run_name}, try {self.attempt}" if self.attempt else self.run_name,
            "State": _name_state(self.state, self.state_type),
            "Flow run": self.parent,
            "Deployment": self.deployment,
            "Started": _write_time(self.started_at, ran),
            "Last success": _write_time(self.last_success),
        }
        rows = [f"| {name} | {escape_markdown(fact)} |" for name, fact in facts.items() if fact]
        return "\n".join(["| | |", "|-|-|", *rows])


def _section(title: str, lines: Sequence[str]) -> str:
    return f"## {title}\n\n{code_block(chr(10).join(lines))}" if lines else ""


def _name_state(name: str, state_type: str) -> str:
    return name if name.upper() == state_type else f"{name} ({state_type})"


def _write_time(moment: datetime | None, more: str = "") -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC{more}" if moment else ""
