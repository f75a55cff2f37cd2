"""An entry of ``prefect.yaml``, as far as this package deploys it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import construct_schedule
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prefect_smtp_relay.cli.answer import UsageError

FLOWS = "prefect_smtp_relay.flows."
"""How the entry point of each flow of the package begins."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Schedule(_Strict):
    """When a deployment runs by itself: one of interval, cron and rrule."""

    interval: float | None = None
    anchor_date: str | None = None
    cron: str | None = None
    rrule: str | None = None
    timezone: str | None = None
    slug: str
    active: bool = True

    def create(self) -> DeploymentScheduleCreate:
        """Give it the form that Prefect takes."""
        schedule = construct_schedule(**self.model_dump(exclude={"slug", "active"}))
        return DeploymentScheduleCreate(schedule=schedule, slug=self.slug, active=self.active)


class WorkPool(_Strict):
    """Where the runs go."""

    name: str
    work_queue_name: str | None = None
    job_variables: dict[str, Any] = Field(default_factory=dict)


class Entry(_Strict):
    """One deployment of a flow of the package."""

    name: str
    entrypoint: str
    work_pool: WorkPool
    description: str = ""
    tags: list[str] = Field(default_factory=list)
    parameters: dict[str, Any] = Field(default_factory=dict)
    concurrency_limit: int | None = None
    schedules: list[Schedule] = Field(default_factory=list)


def read_entries(entries: Sequence[dict[str, Any]]) -> list[Entry]:
    """Check those that deploy flows of the package; others are not ours.

    Raises:
        UsageError: there is none, or one has what cannot be deployed here.
    """
    ours = [each for each in entries if str(each.get("entrypoint")).startswith(FLOWS)]
    if not ours:
        raise UsageError(
            "prefect.yaml deploys no flow of prefect-smtp-relay, and is kept. Name another"
            " directory, such as `prefect-smtp-relay init mail`; --overwrite would replace all that"
            " it says."
        )
    return [_read(each) for each in ours]


def _read(entry: dict[str, Any]) -> Entry:
    try:
        return Entry.model_validate(entry)
    except ValidationError as error:
        raise UsageError(
            f"prefect.yaml: {entry.get('name')}: {first_problem(error)}. Fix it, or deploy it with"
            " `prefect deploy` and run this with --no-deploy."
        ) from None


def first_problem(error: ValidationError) -> str:
    """Name the first field of an entry that is wrong, and say what is wrong with it."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
