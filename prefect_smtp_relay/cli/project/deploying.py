"""Deployments of the package's flows: created, brought up to date, or left as they are."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.utilities.callables import parameter_schema

from prefect_smtp_relay.cli.answer import UsageError
from prefect_smtp_relay.cli.project.entries import Entry
from prefect_smtp_relay.cli.project.files import CREATED, UNCHANGED, UPDATED


def deploy(client: SyncPrefectClient, entry: Entry) -> tuple[str, str]:
    """Deploy a flow. A schedule that was paused or resumed in Prefect stays so.

    Args:
        client: of the Prefect API.
        entry: what is wanted.

    Returns:
        The deployment's name with its flow's, and what was done.

    Raises:
        UsageError: there is no such flow.
    """
    flow = _flow_of(entry)
    name, wanted = f"{flow.name}/{entry.name}", _fields(entry, flow)
    schedules = [each.create() for each in entry.schedules]
    try:
        existing = client.read_deployment_by_name(name)
    except ObjectNotFound:
        existing = None
    if existing:
        schedules = _as_active_as(schedules, existing)
        if _is_as_wanted(existing, wanted, schedules):
            return name, UNCHANGED
    flow_id = client.create_flow_from_name(flow.name)
    client.create_deployment(flow_id, entry.name, schedules=schedules, **wanted)
    return name, UPDATED if existing else CREATED


def _flow_of(entry: Entry) -> Flow[..., Any]:
    module, _, name = entry.entrypoint.rpartition(".")
    try:
        flow = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        flow = None
    if not isinstance(flow, Flow):
        raise UsageError(f"prefect.yaml: {entry.name}: there is no flow {entry.entrypoint}.")
    return flow


def _fields(entry: Entry, flow: Flow[..., Any]) -> dict[str, Any]:
    """What a deployment has beside its name and its schedules."""
    return {
        "description": entry.description or flow.description or "",
        "tags": entry.tags,
        "parameters": entry.parameters,
        "entrypoint": entry.entrypoint,
        "work_pool_name": entry.work_pool.name,
        "work_queue_name": entry.work_pool.work_queue_name,
        "job_variables": entry.work_pool.job_variables,
        "concurrency_limit": entry.concurrency_limit,
        "parameter_openapi_schema": parameter_schema(flow).model_dump(exclude_unset=True),
        "enforce_parameter_schema": True,
        "pull_steps": [],
    }


def _as_active_as(
    schedules: list[DeploymentScheduleCreate], existing: DeploymentResponse
) -> list[DeploymentScheduleCreate]:
    active = {each.slug: each.active for each in existing.schedules}
    return [
        each.model_copy(update={"active": active.get(each.slug, each.active)}) for each in schedules
    ]


def _is_as_wanted(
    existing: DeploymentResponse,
    wanted: dict[str, Any],
    schedules: list[DeploymentScheduleCreate],
) -> bool:
    limit = existing.global_concurrency_limit
    found = existing.model_dump(include={*wanted}) | {
        "concurrency_limit": limit.limit if limit else None,
        "pull_steps": existing.pull_steps or [],
    }
    if wanted["work_queue_name"] is None:  # then it is the pool's own
        found["work_queue_name"] = None
    return found == wanted and _times(existing.schedules) == _times(schedules)


def _times(schedules: Sequence[DeploymentSchedule | DeploymentScheduleCreate]) -> dict[Any, Any]:
    """When runs are scheduled; where an interval begins is decided anew each time."""
    return {
        each.slug: (each.active, each.schedule.model_dump(exclude={"anchor_date"}))
        for each in schedules
    }
