"""An incident, as the flows about incidents take it: Prefect's UI draws a form for it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field, HttpUrl

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
