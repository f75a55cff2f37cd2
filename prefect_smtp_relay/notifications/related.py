"""What the Prefect API knows of a run's surroundings."""

from __future__ import annotations

from uuid import UUID

from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterId,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType, TaskRun
from prefect.client.schemas.sorting import FlowRunSort, TaskRunSort

from prefect_smtp_relay.notifications.asking import ask


def name_deployment(deployment_id: UUID | None) -> str:
    """Name a deployment; a run without one has no name for it."""
    if deployment_id is None:
        return ""
    return ask(lambda client: client.read_deployment(deployment_id).name, "")


def failed_task(run: FlowRun) -> TaskRun | None:
    """Find the task run that failed last within a flow run."""
    types = TaskRunFilterStateType(any_=[StateType.FAILED, StateType.CRASHED])
    failed = TaskRunFilter(state=TaskRunFilterState(type=types))
    of_run = FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))
    found: list[TaskRun] = ask(
        lambda client: client.read_task_runs(
            flow_run_filter=of_run,
            task_run_filter=failed,
            sort=TaskRunSort.END_TIME_DESC,
            limit=1,
        ),
        [],
    )
    return found[0] if found else None


def last_success(run: FlowRun) -> FlowRun | None:
    """Find the last completed run of the same flow and deployment."""
    types = FlowRunFilterStateType(any_=[StateType.COMPLETED])
    completed = FlowRunFilter(state=FlowRunFilterState(type=types))
    if run.deployment_id:
        completed.deployment_id = FlowRunFilterDeploymentId(any_=[run.deployment_id])
    found: list[FlowRun] = ask(
        lambda client: client.read_flow_runs(
            flow_filter=FlowFilter(id=FlowFilterId(any_=[run.flow_id])),
            flow_run_filter=completed,
            sort=FlowRunSort.END_TIME_DESC,
            limit=1,
        ),
        [],
    )
    return found[0] if found else None
