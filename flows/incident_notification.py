"""Tell stakeholders about an incident: the flow to copy and to adapt.

The incident is a parameter: Prefect's UI draws a form for it. Connected blocks decide on the relay.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from prefect import flow
from pydantic import BaseModel, Field, HttpUrl

from prefect_smtp_relay import Receipt, escape_markdown, send_an_email

Event = Literal["declared", "updated", "mitigated", "resolved"]

NEWS: dict[Event, str] = {
    "declared": "An incident was declared. Updates will follow in this thread.",
    "updated": "There is news about this incident.",
    "mitigated": "Users are **no longer affected**. Work on the cause goes on.",
    "resolved": "This incident is **over**. No further mails will follow.",
}


class Incident(BaseModel):
    """An incident as the stakeholders should hear of it."""

    number: int = Field(title="Number", ge=1)
    title: str = Field(title="Title")
    summary: str = Field("", title="Summary", description="Markdown.")
    severity: Literal["SEV1", "SEV2", "SEV3", "SEV4"] = Field("SEV3", title="Severity")
    status: Literal["declared", "investigating", "mitigated", "resolved"] = Field(
        "declared", title="Status"
    )
    url: HttpUrl | None = Field(None, title="Link to the incident")
    started_at: datetime | None = Field(None, title="Started at")
    services: list[str] = Field(default_factory=list, title="Services")
    commander: str = Field("", title="Incident commander")


def describe(incident: Incident, event: Event) -> str:
    """Write the mail's body in Markdown."""
    facts = {
        "Severity": incident.severity,
        "Status": incident.status,
        "Started": f"{incident.started_at:%Y-%m-%d %H:%M %Z}" if incident.started_at else "",
        "Services": ", ".join(incident.services),
        "Commander": incident.commander,
    }
    title = escape_markdown(incident.title)
    lines = [f"# INC-{incident.number}: {title}", "", NEWS[event], "", incident.summary, ""]
    lines += ["| | |", "|-|-|"]
    lines += [f"| {name} | {escape_markdown(value)} |" for name, value in facts.items() if value]
    if incident.url:
        lines += ["", f'[View incident](<{incident.url}> "btn")']
    return "\n".join(lines)


@flow(name="incident-notification", flow_run_name="INC-{incident.number} {event}")
def notify_stakeholders(
    incident: Incident, stakeholders: list[str], event: Event = "declared"
) -> Receipt:
    """Mail the stakeholders what has happened to an incident, in one thread for each incident."""
    return send_an_email(
        to=stakeholders,
        subject=f"[{incident.severity}] INC-{incident.number} {event}: {incident.title}",
        body=describe(incident, event),
        preheader=", ".join([incident.severity, incident.status, *incident.services]),
        thread=f"INC-{incident.number}",
        importance="high" if incident.severity in {"SEV1", "SEV2"} else "normal",
        artifact=True,
    )
