"""Remind people of incidents that are still open; to be run on a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from prefect import flow, task
from pydantic import TypeAdapter

from prefect_smtp_relay import Receipt, send_an_email
from prefect_smtp_relay.flows.incidents.incident import Incident
from prefect_smtp_relay.flows.incidents.open_incidents import describe
from prefect_smtp_relay.flows.incidents.reminded import Reminded
from prefect_smtp_relay.flows.incidents.values import age_of


@task(name="Read incidents", retries=2, retry_delay_seconds=10)
def read_incidents(source: str) -> list[Incident]:
    """Read a JSON list of incidents from a file or an http(s) address."""
    if source.startswith(("http://", "https://")):
        answer = httpx.get(source, timeout=30, follow_redirects=True).raise_for_status()
        return TypeAdapter(list[Incident]).validate_json(answer.content)
    return TypeAdapter(list[Incident]).validate_json(Path(source).read_bytes())


def is_overdue(incident: Incident, minutes: int, now: datetime) -> bool:
    """Whether an incident is open, and has been for some time or for nobody knows how long."""
    age = age_of(incident, now)
    return incident.status != "resolved" and (age is None or age >= timedelta(minutes=minutes))


@flow(name="incident-reminder")
def remind_of_open_incidents(
    source: str, recipients: list[str], open_for_minutes: int = 60, repeat_after_hours: int = 24
) -> Receipt | None:
    """Mail the incidents that have been open for some time; where nothing is new, no mail.

    Args:
        source: a file, or an http(s) address, with a JSON list of incidents.
        recipients: who is reminded.
        open_for_minutes: younger incidents are left out.
        repeat_after_hours: when an incident that has not changed is told again.
    """
    known, now = read_incidents(source), datetime.now(UTC)
    overdue = [each for each in known if is_overdue(each, open_for_minutes, now)]
    overdue.sort(key=lambda each: (each.severity, each.number))
    reminded = Reminded(source, recipients)
    repeat_after = timedelta(hours=repeat_after_hours)
    news = [each for each in overdue if reminded.is_news(each, now, repeat_after)]
    receipt = None
    if news:
        others = [each for each in overdue if each not in news]
        receipt = send_an_email(recipients, **describe(news, others, now), artifact=True)
    reminded.note(news, overdue, now)
    return receipt
