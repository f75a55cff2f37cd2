"""The first success after failures, as subject and Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import FlowRun, State
from prefect.utilities.urls import url_for

from prefect_smtp_relay.notifications.causes import cause_of
from prefect_smtp_relay.notifications.durations import format_duration
from prefect_smtp_relay.notifications.own_mail import OwnMail, buttons, facts, one_line
from prefect_smtp_relay.notifications.report import RunReport
from prefect_smtp_relay.notifications.times import format_time
from prefect_smtp_relay.rendering.quoting import code_block, escape_markdown

MAX_FAILURES = 200


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that did not complete.

    Args:
        run_id, run_name: which one.
        at: when it failed.
        cause: why.
        url: its page in Prefect's UI, where its address is known.
    """

    run_id: UUID
    run_name: str
    at: datetime
    cause: str
    url: str = ""

    @classmethod
    def of(cls, run: FlowRun, state: State[Any], parameters: Mapping[str, Any]) -> Failure:
        """Read what is known of it.

        Args:
            run, state: as the Prefect API tells them.
            parameters: of the run that completed; the API does not tell what a `SecretStr` is.
        """
        return cls(
            run_id=run.id,
            run_name=run.name,
            at=state.timestamp,
            cause=cause_of(state, {"then": run.parameters, "now": parameters}).text,
            url=url_for("flow-run", obj_id=run.id) or "",
        )


@dataclass(frozen=True, kw_only=True)
class Recovery(RunReport):
    """What became of the first run that completed again.

    Args:
        failures: before it, newest first; at least one.
    """

    failures: tuple[Failure, ...]

    @classmethod
    def of(cls, report: RunReport, failures: tuple[Failure, ...]) -> Recovery:
        """Tell of a completed run that it was the first one."""
        return cls(**{**vars(report), "state": "Recovered"}, failures=failures)

    @property
    def mail(self) -> OwnMail:
        """The mail about it: one for each row of failures."""
        last = self.failures[0]
        key = f"recovered {last.run_id} {last.at.isoformat()}"
        return {**super().mail, "idempotency_key": key}

    @property
    def preheader(self) -> str:
        """How long it had failed, for inboxes to show beside the subject."""
        return self._summary()

    def _summary(self) -> str:
        """For example "It had failed for 1 h 23 min: 3 runs since 02:06 UTC."."""
        first, count = self.failures[-1].at, len(self.failures)
        more = " or more" if count >= MAX_FAILURES else ""
        runs = f"{count}{more} run{'s' if count != 1 else ''}"
        lasted = f" for {format_duration(self.ended_at - first)}" if self.ended_at else ""
        return f"It had failed{lasted}: {runs} since {format_time(first)}."

    @property
    def body(self) -> str:
        """That it runs again, where to look, then what had failed."""
        last = self.failures[0]
        sections = [
            f"# {escape_markdown(one_line(self.name))} recovered",
            escape_markdown(self._summary()),
            buttons({"Open the run in Prefect": self.url, "The last failed run": last.url}),
            facts(
                {
                    "Run": self.where,
                    "Started": self.when,
                    "Last failure": f"{last.run_name}, {format_time(last.at)}",
                }
            ),
            f"## What had failed\n\n{code_block(last.cause)}",
        ]
        return "\n\n".join(section for section in sections if section)
