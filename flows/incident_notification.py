"""Tell stakeholders about an incident: the flow to copy and to adapt.

The incident is a parameter, so Prefect's UI draws a form for it. Which relay takes the mail is
decided by the connected blocks, not here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from prefect import flow
from pydantic import BaseModel, Field, HttpUrl

from prefect_smtp_relay import Receipt, send_an_email


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


def describe(incident: Incident) -> str:
    """Write the mail's body in Markdown."""
    facts = {
        "Severity": incident.severity,
        "Status": incident.status,
        "Started": f"{incident.started_at:%Y-%m-%d %H:%M %Z}" if incident.started_at else "",
        "Services": ", ".join(incident.services),
        "Commander": incident.commander,
    }
    lines = [f"# INC-{incident.number}: {incident.title}", "", incident.summary, ""]
    lines += [f"- **{name}**: {value}" for name, value in facts.items() if value]
    if incident.url:
        lines += ["", f"[View incident]({incident.url})"]
    return "\n".join(lines)


@flow(name="Incident notification", flow_run_name="INC-{incident.number} {incident.status}")
def notify_stakeholders(incident: Incident, stakeholders: list[str]) -> Receipt:
    """Mail the stakeholders about an incident."""
    return send_an_email(
        to=stakeholders,
        subject=f"[{incident.severity}] INC-{incident.number} {incident.status}: {incident.title}",
        body=describe(incident),
    )
