"""An incident, as the flows about incidents take it: Prefect's UI draws a form for it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field, HttpUrl

from prefect_smtp_relay.flows.incidents.form_fields import Address, Time, without_default

Event = Literal["declared", "updated", "mitigated", "resolved"]


class Link(BaseModel):
    """A button."""

    label: str = Field(title="Label", description="The words on the button.")
    url: HttpUrl = Field(title="Address", description="Where it leads, such as https://...")


class Update(BaseModel):
    """What happened, and when."""

    at: datetime = Field(title="Time", description="When it happened.")
    text: str = Field(title="Text", description="What happened, in a sentence.")


class Incident(BaseModel):
    """An incident as the stakeholders should hear of it."""

    number: int = Field(ge=1, title="Number", description="42 for INC-42.")
    title: str = Field(title="Title", description="What is wrong, in a few words.")
    summary: str = Field("", title="Summary", description="What users notice, as plain text.")
    severity: Literal["SEV1", "SEV2", "SEV3", "SEV4"] = Field(
        "SEV3", title="Severity", description="SEV1 is the worst."
    )
    status: Literal["declared", "investigating", "mitigated", "resolved"] = Field(
        "declared",
        title="Status",
        description="Shown where the event is updated; else it is the event.",
    )
    url: Address = Field(
        None,
        title="Link to the incident",
        description="The first button leads there.",
        json_schema_extra=without_default,
    )
    links: list[Link] = Field(
        default_factory=list, title="More links", description="One button for each."
    )
    started_at: Time = Field(
        None,
        title="Started at",
        description="The mail says for how long the incident is open.",
        json_schema_extra=without_default,
    )
    next_update_at: Time = Field(
        None,
        title="Next update at",
        description="When the next mail is to be expected.",
        json_schema_extra=without_default,
    )
    services: list[str] = Field(
        default_factory=list, title="Services", description="What is affected."
    )
    commander: str = Field(
        "", title="Incident commander", description="Who leads the work on the incident."
    )
    updates: list[Update] = Field(
        default_factory=list,
        title="What happened so far",
        description="Shown as a table of times and texts.",
    )
