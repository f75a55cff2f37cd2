"""Remind people of incidents that are still open; to be run on a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import shorten
from typing import Any

import httpx
from prefect import flow, task
from pydantic import TypeAdapter

from flows.incident import Incident, in_utc, say_duration
from prefect_smtp_relay import Receipt, mask, send_an_email

BODY = """\
# Incidents that are still open

{% for each in incidents %}
**{% if each.url %}[{{ each.name }}]({{ each.url }}){% else %}{{ each.name }}{% endif %}**\\
{{ each.state }}, open for {{ each.open_for }}, commander {{ each.commander }}

{% endfor %}
"""


@task(name="Read incidents", retries=2, retry_delay_seconds=10)
def read_incidents(source: str) -> list[Incident]:
    """Read a JSON list of incidents from a file or an http(s) address."""
    if source.startswith(("http://", "https://")):
        answer = httpx.get(source, timeout=30, follow_redirects=True).raise_for_status()
        return TypeAdapter(list[Incident]).validate_json(answer.content)
    return TypeAdapter(list[Incident]).validate_json(Path(source).read_bytes())


def is_overdue(incident: Incident, minutes: int, now: datetime) -> bool:
    """Whether an incident is open, and has been for some time or for nobody knows how long."""
    started, limit = incident.started_at, timedelta(minutes=minutes)
    return incident.status != "resolved" and not (started and now - in_utc(started) < limit)


def describe(incident: Incident, now: datetime) -> dict[str, Any]:
    """Give the values of one incident that the mail shows."""
    return {
        "name": f"INC-{incident.number}: {mask(incident.title)}",
        "url": incident.url,
        "state": f"{incident.severity}, {incident.status}",
        "open_for": say_duration(incident.started_at, now) or "nobody knows how long",
        "commander": incident.commander or "nobody",
    }


@flow(name="incident-reminder")
def remind_of_open_incidents(
    source: str, recipients: list[str], open_for_minutes: int = 60
) -> Receipt | None:
    """Mail the incidents that have been open for some time; none, no mail.

    Args:
        source: a file, or an http(s) address, with a JSON list of incidents.
        recipients: who is reminded.
        open_for_minutes: younger incidents are left out.
    """
    known, now = read_incidents(source), datetime.now(UTC)
    overdue = [each for each in known if is_overdue(each, open_for_minutes, now)]
    if not overdue:
        return None
    overdue.sort(key=lambda each: (each.severity, each.number))
    subject = "Still open: " + ", ".join(f"INC-{each.number}" for each in overdue)
    return send_an_email(
        recipients,
        shorten(subject, 100, placeholder=" ..."),
        BODY,
        context={"incidents": [describe(each, now) for each in overdue]},
        thread="incident-reminder",
        artifact=True,
    )
