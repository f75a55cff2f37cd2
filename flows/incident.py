"""An incident, as the flows about incidents take it: Prefect's UI draws a form for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field, HttpUrl

from prefect_smtp_relay import format_duration

Event = Literal["declared", "updated", "mitigated", "resolved"]


class Link(BaseModel):
    """A button."""

    label: str
    url: HttpUrl


class Update(BaseModel):
    """What happened, and when."""

    at: datetime
    text: str


class Incident(BaseModel):
    """An incident as the stakeholders should hear of it."""

    number: int = Field(ge=1)
    title: str
    summary: str = ""
    severity: Literal["SEV1", "SEV2", "SEV3", "SEV4"] = "SEV3"
    status: Literal["declared", "investigating", "mitigated", "resolved"] = "declared"
    url: HttpUrl | None = Field(None, title="Link to the incident")
    links: list[Link] = Field(default_factory=list, title="More links")
    started_at: datetime | None = Field(None, title="Started at")
    next_update_at: datetime | None = Field(None, title="Next update at")
    services: list[str] = []
    commander: str = Field("", title="Incident commander")
    updates: list[Update] = Field(default_factory=list, title="What happened so far")


def in_utc(moment: datetime) -> datetime:
    """Take a time without a zone as UTC."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def say_time(moment: datetime | None, now: datetime) -> str:
    """For example ``03:07 UTC``, with the day where that is not today; nothing for None."""
    if not (there := moment and in_utc(moment)):
        return ""
    return f"{there:%H:%M} UTC" if there.date() == now.date() else f"{there:%Y-%m-%d %H:%M} UTC"


def say_duration(since: datetime | None, now: datetime) -> str:
    """How long ago something was; nothing for None."""
    return format_duration(now - in_utc(since)) if since else ""


def facts_of(incident: Incident, event: Event, now: datetime) -> list[tuple[str, str]]:
    """What there is to say of an incident, each with its label; the status follows the event."""
    facts = {
        "Status": incident.status if event == "updated" else event,
        "Services": ", ".join(incident.services),
        "Commander": incident.commander,
        "Started": say_time(incident.started_at, now),
        "Over after" if event == "resolved" else "Open for": say_duration(incident.started_at, now),
        "Next update": "" if event == "resolved" else say_time(incident.next_update_at, now),
    }
    return [(name, fact) for name, fact in facts.items() if fact]


def buttons_of(incident: Incident) -> list[tuple[str, HttpUrl]]:
    """The links, the incident's own first."""
    own = [Link(label="View incident", url=incident.url)] if incident.url else []
    return [(link.label, link.url) for link in (*own, *incident.links)]
