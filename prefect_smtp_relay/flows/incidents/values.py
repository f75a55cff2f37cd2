"""What the mails about an incident say of it, without what looks like a secret."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import HttpUrl

from prefect_smtp_relay import format_duration, format_time, mask
from prefect_smtp_relay.flows.incidents.incident import Event, Incident, Link


def age_of(incident: Incident, now: datetime) -> timedelta | None:
    """How long ago it started; a time without a zone is in UTC."""
    if not (started := incident.started_at):
        return None
    return now - (started if started.tzinfo else started.replace(tzinfo=UTC))


def say_age(incident: Incident, now: datetime) -> str:
    """How long ago it started, as people say it; nothing where nobody knows."""
    age = age_of(incident, now)
    return "" if age is None else format_duration(age)


def say_time(moment: datetime | None, now: datetime) -> str:
    """When something is, in the setting `time_zone`; nothing for None."""
    return format_time(moment, now) if moment else ""


def values_of(incident: Incident, event: Event, now: datetime) -> dict[str, Any]:
    """The values of the mail about an event."""
    texts = [mask(each.text) for each in incident.updates]
    times = [format_time(each.at, now) for each in incident.updates]
    return {
        "number": incident.number,
        "severity": incident.severity,
        "event": event,
        "title": mask(incident.title),
        "summary": mask(incident.summary),
        "age": say_age(incident, now),
        "latest": texts[-1] if texts else "",
        "links": _buttons(incident),
        "facts": _facts(incident, event, now),
        "updates": [
            (time.rpartition(" ")[0], text) for time, text in zip(times, texts, strict=True)
        ],
        "zone": times[-1].rpartition(" ")[2] if times else "",
    }


def _facts(incident: Incident, event: Event, now: datetime) -> list[tuple[str, str]]:
    """What there is to say of an incident, each with its label; the status follows the event."""
    facts = {
        "Status": incident.status if event == "updated" else event,
        "Services": ", ".join(incident.services),
        "Commander": incident.commander,
        "Started": say_time(incident.started_at, now),
        "Over after" if event == "resolved" else "Open for": say_age(incident, now),
        "Next update": "" if event == "resolved" else say_time(incident.next_update_at, now),
    }
    return [(name, mask(fact)) for name, fact in facts.items() if fact]


def _buttons(incident: Incident) -> list[tuple[str, HttpUrl]]:
    """The links, the incident's own first."""
    own = [Link(label="View incident", url=incident.url)] if incident.url else []
    return [(mask(link.label), link.url) for link in (*own, *incident.links)]
