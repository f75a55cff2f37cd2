"""Remind people of incidents that are still open; to be run on a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from prefect import flow, task
from pydantic import TypeAdapter

from flows.incident_notification import Incident
from prefect_smtp_relay import Receipt, escape_markdown, send_an_email

_INCIDENTS = TypeAdapter(list[Incident])


@task(name="Read incidents", retries=2, retry_delay_seconds=10)
def read_incidents(source: str) -> list[Incident]:
    """Read a JSON list of incidents from a file or an http(s) address."""
    if source.startswith(("http://", "https://")):
        answer = httpx.get(source, timeout=30, follow_redirects=True)
        return _INCIDENTS.validate_json(answer.raise_for_status().content)
    return _INCIDENTS.validate_json(Path(source).read_bytes())


def minutes_open(incident: Incident, now: datetime) -> float | None:
    """How long an incident has been open; None where nobody knows when it began."""
    started = incident.started_at
    if started is None:
        return None
    aware = started if started.tzinfo else started.replace(tzinfo=UTC)
    return (now - aware) / timedelta(minutes=1)


def describe(incident: Incident, now: datetime) -> str:
    """Write one row of the mail's table."""
    title, minutes = escape_markdown(incident.title), minutes_open(incident, now)
    cells = [
        f"[INC-{incident.number}](<{incident.url}>)" if incident.url else f"INC-{incident.number}",
        incident.severity,
        incident.status,
        "unknown" if minutes is None else f"{minutes / 60:.1f} h",
        escape_markdown(incident.commander) or "nobody",
        title,
    ]
    return f"| {' | '.join(cells)} |"


@flow(name="incident-reminder")
def remind_of_open_incidents(
    source: str, recipients: list[str], open_for_minutes: int = 60
) -> Receipt | None:
    """Mail a table of the incidents that have been open for some time; none, no mail.

    Args:
        source: a file, or an http(s) address, with a JSON list of incidents.
        recipients: who is reminded.
        open_for_minutes: younger incidents are left out.
    """
    now = datetime.now(UTC)
    overdue = [
        incident
        for incident in read_incidents(source)
        if incident.status != "resolved"
        and ((minutes := minutes_open(incident, now)) is None or minutes >= open_for_minutes)
    ]
    if not overdue:
        return None
    head = ["| Incident | Severity | Status | Open for | Commander | Title |", "|---" * 6 + "|"]
    overdue.sort(key=lambda incident: (incident.severity, incident.number))
    rows = [describe(incident, now) for incident in overdue]
    return send_an_email(
        to=recipients,
        subject=f"Still open: {', '.join(f'INC-{incident.number}' for incident in overdue)}",
        body="\n".join(["# Incidents that are still open", "", *head, *rows]),
        artifact=True,
    )
