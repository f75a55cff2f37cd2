"""A run's end as subject and Markdown. Text from outside is escaped, or in code blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from string import Template
from typing import Literal

from prefect_smtp_relay.notifications.causes import say_state, without_engine_words
from prefect_smtp_relay.notifications.durations import format_duration
from prefect_smtp_relay.notifications.own_mail import OwnMail, buttons, facts, one_line
from prefect_smtp_relay.notifications.times import format_time, local_time, zone_name
from prefect_smtp_relay.rendering.labels import Tone
from prefect_smtp_relay.rendering.quoting import code_block, escape_markdown

_MAX_SUBJECT = 100
_MAX_PREHEADER = 200
_TONES: dict[str, Tone] = {
    "COMPLETED": "good",
    "FAILED": "critical",
    "CRASHED": "critical",
    "CANCELLED": "warning",
}


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What became of a flow run or task run.

    Args:
        kind: ``flow`` or ``task``.
        name, run_name: of the flow or task, and of its run.
        state, state_type: for example ``TimedOut`` and ``FAILED``.
        message: the state's.
        started_at, ended_at: None where unknown.
        attempt: for example ``3 of 3``, where the run may be retried.
        failed_in: the task that failed, and the line.
        last_success: when a run of the same flow and deployment last completed.
        flow, flow_run: those around a task run; of a flow run, its own.
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
    ended_at: datetime | None = None
    attempt: str = ""
    failed_in: str = ""
    last_success: datetime | None = None
    flow: str = ""
    flow_run: str = ""
    deployment: str = ""
    traceback: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    url: str = ""
    flow_url: str = ""

    @property
    def mail(self) -> OwnMail:
        """The mail about it, for ``send_an_email(to, **report.mail)``."""
        return {
            "subject": self.subject,
            "body": self.body,
            "preheader": self.preheader,
            "thread": self.thread,
            "tone": self.tone,
            "labels": self.labels,
        }

    @property
    def subject(self) -> str:
        """For example ``Failed: flow nightly-import (prod)``.

        Without the run: mail programs such as Gmail part a thread where the subject changes.
        """
        place = " ($deployment)" if self.deployment else ""
        return self.format_subject(f"$state: $kind $name{place}")

    def format_subject(self, pattern: str) -> str:
        """Fill in a subject, and keep it in one line of at most 100 characters.

        Args:
            pattern: may contain ``$state``, ``$kind``, ``$name``, ``$run`` and ``$deployment``.
        """
        filled = Template(pattern).safe_substitute(
            state=self._state,
            kind=self.kind,
            name=self.name,
            run=self.run_name,
            deployment=self.deployment,
        )
        return one_line(filled, _MAX_SUBJECT)

    @property
    def thread(self) -> str:
        """One thread for each flow and deployment, or each task."""
        return one_line(f"prefect {self.kind} {self.name} {self.deployment}")

    @property
    def preheader(self) -> str:
        """The error, for inboxes to show beside the subject."""
        return one_line(self.error or f"Run {self.run_name}", _MAX_PREHEADER)

    @property
    def tone(self) -> Tone:
        """How bad it is."""
        return _TONES.get(self.state_type, "info")

    @property
    def labels(self) -> dict[str, Tone | Literal[""]]:
        """The state, the deployment, and which try it was."""
        tries = f"try {self.attempt}" if self.attempt else ""
        others = [one_line(text) for text in (self.deployment, tries)]
        return {self._state: self.tone} | {text: "" for text in others if text}

    @property
    def error(self) -> str:
        """The state's message without the words that Prefect's engine puts before an exception."""
        return without_engine_words(self.message)

    @property
    def body(self) -> str:
        """The report in Markdown: what went wrong, where to look, then the details."""
        sections = [
            f"# {escape_markdown(one_line(f'{self.name} {self._state.lower()}'))}",
            self._error(),
            buttons({"Open the run in Prefect": self.url, f"Runs of {self.name}": self.flow_url}),
            self._facts(),
            _section("Traceback, innermost last", self.traceback),
            _section(f"Last log lines ({self._zone})", self.log),
            _section("Parameters", self.parameters),
        ]
        return "\n\n".join(section for section in sections if section)

    def _error(self) -> str:
        kind: Literal["text", "error"] = "error" if self.tone == "critical" else "text"
        return code_block(self.error, kind) if self.error.strip() else ""

    @property
    def _state(self) -> str:
        return one_line(say_state(self.state)).capitalize()

    @property
    def where(self) -> str:
        """The run, its deployment, and which try it was."""
        of = f", deployment {self.deployment}" if self.deployment else ""
        tries = f", try {self.attempt}" if self.attempt else ""
        return f"{self.run_name}{of}{tries}"

    @property
    def when(self) -> str:
        """When it started, and how long it ran."""
        if not self.started_at:
            return ""
        ran = f", ran {format_duration(self.ended_at - self.started_at)}" if self.ended_at else ""
        return f"{format_time(self.started_at)}{ran}"

    @property
    def _is_within_flow(self) -> bool:
        return self.kind == "task" and bool(self.flow)

    @property
    def _zone(self) -> str:
        return zone_name(local_time(self.ended_at or datetime.now(UTC)))

    def _facts(self) -> str:
        return facts(
            {
                "Failed in": self.failed_in,
                "Run": self.where,
                "Flow run": f"{self.flow} / {self.flow_run}" if self._is_within_flow else "",
                "Started": self.when,
                "Last success": format_time(self.last_success) if self.last_success else "",
            }
        )


def _section(title: str, lines: Sequence[str]) -> str:
    return f"## {title}\n\n{code_block(chr(10).join(lines))}" if lines else ""
