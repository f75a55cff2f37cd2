"""What the Prefect API knows of a run's surroundings."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile
from typing import Any
from uuid import UUID

from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterId,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterEndTime,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType, TaskRun
from prefect.client.schemas.sorting import FlowRunSort, TaskRunSort

from prefect_smtp_relay.notifications.asking import ask
from prefect_smtp_relay.notifications.parameters import parameters_of
from prefect_smtp_relay.notifications.recovery import MAX_FAILURES, Failure


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
    return next(iter(_like(run, _filter_states(StateType.COMPLETED), 1)), None)


def failures_before(run: FlowRun, end: datetime) -> tuple[Failure, ...]:
    """Find the failures since the last success of the same flow and deployment, newest first.

    Args:
        run: itself counts with what it came to before it was started again.
        end: of the run.
    """
    others = _filter_states(StateType.COMPLETED, StateType.FAILED, StateType.CRASHED)
    others.id = FlowRunFilterId(not_any_=[run.id])
    others.end_time = FlowRunFilterEndTime(before_=end)
    ended = [(each, each.state) for each in _like(run, others, MAX_FAILURES)]
    ended += [(run, state) for state in _earlier_ends(run)]
    known = [(each, state) for each, state in ended if state]
    known.sort(key=lambda pair: pair[1].timestamp, reverse=True)
    failures = takewhile(lambda pair: not pair[1].is_completed(), known)
    parameters = parameters_of(run)
    return tuple(Failure.of(each, state, parameters) for each, state in failures)


def _earlier_ends(run: FlowRun) -> list[State[Any]]:
    """Ends of a run that was started again; a retry of the flow itself is not one."""
    if run.run_count < 2:
        return []
    states: list[State[Any]] = ask(lambda client: client.read_flow_run_states(run.id), [])
    return [state for state in states if state.is_failed() or state.is_crashed()]


def _filter_states(*types: StateType) -> FlowRunFilter:
    return FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types))))


def _like(run: FlowRun, wanted: FlowRunFilter, limit: int) -> list[FlowRun]:
    """Read runs of the same flow and deployment, those that ended last first."""
    wanted.deployment_id = (
        FlowRunFilterDeploymentId(any_=[run.deployment_id])
        if run.deployment_id
        else FlowRunFilterDeploymentId(is_null_=True)
    )
    return ask(
        lambda client: client.read_flow_runs(
            flow_filter=FlowFilter(id=FlowFilterId(any_=[run.flow_id])),
            flow_run_filter=wanted,
            sort=FlowRunSort.END_TIME_DESC,
            limit=limit,
        ),
        [],
    )
