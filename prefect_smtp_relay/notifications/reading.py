"""Read what a report needs: from the run at hand, and from the Prefect API."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from uuid import UUID

from prefect.client.schemas.filters import (
    LogFilter,
    LogFilterFlowRunId,
    LogFilterTaskRunId,
    LogFilterTimestamp,
)
from prefect.client.schemas.objects import FlowRun, Log, State, TaskRun
from prefect.client.schemas.sorting import LogSort
from prefect.context import FlowRunContext, SyncClientContext, TaskRunContext
from prefect.logging.handlers import APILogWorker
from prefect.states import Pending
from prefect.utilities.urls import url_for

from prefect_smtp_relay.notifications.parameters import Masker, shorten
from prefect_smtp_relay.notifications.report import RunReport
from prefect_smtp_relay.runtime.log import run_logger

if TYPE_CHECKING:
    from prefect import Flow, Task
    from prefect.client.orchestration import SyncPrefectClient

T = TypeVar("T")

_LONGEST_MESSAGE = 4000
_LONGEST_LOG_ENTRY = 2000
_MOST_LOG_LINES = 200
_FLUSH_SECONDS = 5


def describe_flow_run(flow_run_id: UUID | str, *, log_lines: int = 20) -> RunReport:
    """Read from the Prefect API what became of a flow run.

    Args:
        flow_run_id: as in the run's address in Prefect's UI, or in an event.
        log_lines: how many log entries to show, the newest; 0 for none.

    Returns:
        The report, with ``subject`` and ``body`` for a mail; parameters that look like secrets
        are masked.

    Raises:
        prefect.exceptions.ObjectNotFound: there is no such run.
    """
    with SyncClientContext.get_or_create() as context:
        run = context.client.read_flow_run(UUID(str(flow_run_id)))
        name = context.client.read_flow(run.flow_id).name
    return _describe_flow_run(run, name, run.state or Pending(), run.parameters, log_lines)


def report_flow_run(
    flow: Flow[..., Any], flow_run: FlowRun, state: State[Any], log_lines: int
) -> RunReport:
    """Describe a flow run that has just come to its end; what the API does not tell is left out.

    Args:
        flow, flow_run, state: what Prefect gives a hook.
        log_lines: how many log entries to show, the newest.
    """
    context = FlowRunContext.get()
    is_own = context is not None and context.flow_run and context.flow_run.id == flow_run.id
    parameters = context.parameters if context and is_own else None
    fresh = _ask(lambda client: client.read_flow_run(flow_run.id), flow_run)
    return _describe_flow_run(fresh, flow.name, state, parameters or fresh.parameters, log_lines)


def report_task_run(
    task: Task[..., Any], task_run: TaskRun, state: State[Any], log_lines: int
) -> RunReport:
    """Describe a task run that has just come to its end.

    Args:
        task, task_run, state: what Prefect gives a hook.
        log_lines: how many log entries to show, the newest.
    """
    context = TaskRunContext.get()
    is_own = context is not None and context.task_run.id == task_run.id
    return _report(
        task_run,
        state,
        LogFilter(task_run_id=LogFilterTaskRunId(any_=[task_run.id])),
        log_lines,
        kind="task",
        name=task.name,
        parameters=context.parameters if context and is_own else {},
        parent=_name_flow_run_around(),
    )


def _describe_flow_run(
    run: FlowRun, name: str, state: State[Any], parameters: Mapping[str, Any], log_lines: int
) -> RunReport:
    return _report(
        run,
        state,
        LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id])),
        log_lines,
        kind="flow",
        name=name,
        parameters=parameters,
        deployment=_name_deployment(run.deployment_id),
    )


def _report(
    run: FlowRun | TaskRun,
    state: State[Any],
    entries: LogFilter,
    log_lines: int,
    *,
    kind: Literal["flow", "task"],
    parameters: Mapping[str, Any],
    **names: str,
) -> RunReport:
    masker = Masker()
    lines = masker.lines(parameters)
    return RunReport(
        kind=kind,
        run_name=run.name,
        state=state.name or state.type.value,
        state_type=state.type.value,
        message=shorten(masker.redact(state.message or ""), _LONGEST_MESSAGE),
        started_at=run.start_time,
        duration=state.timestamp - run.start_time if run.start_time else None,
        parameters=tuple(lines),
        log=_read_log(entries, state.timestamp, log_lines, masker),
        url=url_for(f"{kind}-run", obj_id=run.id) or "",
        **names,
    )


def _name_flow_run_around() -> str:
    context = FlowRunContext.get()
    if context is None or context.flow is None or context.flow_run is None:
        return ""
    return f"{context.flow.name} / {context.flow_run.name}"


def _name_deployment(deployment_id: UUID | None) -> str:
    if deployment_id is None:
        return ""
    return _ask(lambda client: client.read_deployment(deployment_id).name, "")


def _read_log(
    entries: LogFilter, until: datetime, log_lines: int, masker: Masker
) -> tuple[str, ...]:
    """Read the newest log entries up to the final state: behind it the hooks' own begin."""
    if log_lines <= 0:
        return ()
    _flush_log()
    entries.timestamp = LogFilterTimestamp(before_=until)
    found: list[Log] = _ask(
        lambda client: client.read_logs(
            entries, limit=min(log_lines, _MOST_LOG_LINES), sort=LogSort.TIMESTAMP_DESC
        ),
        [],
    )
    return tuple(
        f"{entry.timestamp:%H:%M:%S} {shorten(masker.redact(entry.message), _LONGEST_LOG_ENTRY)}"
        for entry in reversed(found)
    )


def _flush_log() -> None:
    """Hand what was logged in this process to the API, which gets it every two seconds only."""
    worker = APILogWorker.instance()
    flush = threading.Thread(target=worker.drain, kwargs={"at_exit": True}, daemon=True)
    flush.start()
    flush.join(_FLUSH_SECONDS)


def _ask(question: Callable[[SyncPrefectClient], T], default: T) -> T:
    """Ask the Prefect API; a mail that lacks a part is better than none."""
    try:
        with SyncClientContext.get_or_create() as context:
            return question(context.client)
    except Exception as error:  # whatever the API answers, the report is written
        run_logger().warning("The report of the run lacks what the Prefect API knows: %s", error)
        return default
