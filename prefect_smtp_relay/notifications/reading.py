"""Read what a report needs: from the run at hand, and from the Prefect API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId, LogFilterTaskRunId
from prefect.client.schemas.objects import FlowRun, State, TaskRun
from prefect.context import FlowRunContext
from prefect.states import Pending
from prefect.utilities.urls import url_for

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.notifications.asking import ask
from prefect_smtp_relay.notifications.causes import without_engine_words
from prefect_smtp_relay.notifications.parameters import Masker, parameters_of, shorten
from prefect_smtp_relay.notifications.recovery import Recovery
from prefect_smtp_relay.notifications.related import (
    failed_task,
    failures_before,
    last_success,
    name_deployment,
)
from prefect_smtp_relay.notifications.report import RunReport
from prefect_smtp_relay.notifications.run_log import read_log
from prefect_smtp_relay.notifications.tracebacks import innermost_place, shorten_traceback
from prefect_smtp_relay.runtime import api

if TYPE_CHECKING:
    from prefect import Flow, Task

_MAX_MESSAGE = 4000
_LONG_TEXT = 40


def describe_flow_run(flow_run_id: UUID | str, *, log_lines: int = 10) -> RunReport:
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
    run = api.ask(lambda client: client.read_flow_run(UUID(str(flow_run_id))))
    name = api.ask(lambda client: client.read_flow(run.flow_id)).name
    return _describe_flow_run(run, name, run.state or Pending(), run.parameters, log_lines)


def describe_end(of: Any, run: FlowRun | TaskRun, state: State[Any], log_lines: int) -> RunReport:
    """Describe a run that has just come to its end; what the API does not tell is left out.

    Args:
        of, run, state: what Prefect gives a hook.
        log_lines: how many log entries to show, the newest.
    """
    if isinstance(run, TaskRun):
        return _describe_task_run(of, run, state, log_lines)
    return _describe_ended_flow_run(of, run, state, log_lines)


def describe_recovery(
    of: Any, run: FlowRun | TaskRun, state: State[Any], log_lines: int
) -> Recovery | None:
    """Describe a completed flow run if it is the first one after failures.

    Args:
        of, run, state, log_lines: as in `describe_end`.

    Raises:
        MessageError: it is a task run, which has no runs before it.
    """
    if isinstance(run, TaskRun):
        raise MessageError("tasks do not recover", "Attach the hook to a flow.")
    failures = failures_before(run, state.timestamp)
    if not failures:
        return None
    return Recovery.of(_describe_ended_flow_run(of, run, state, log_lines), failures)


def _describe_ended_flow_run(
    flow: Flow[..., Any], flow_run: FlowRun, state: State[Any], log_lines: int
) -> RunReport:
    fresh = ask(lambda client: client.read_flow_run(flow_run.id), flow_run)
    return _describe_flow_run(fresh, flow.name, state, parameters_of(fresh), log_lines)


def _describe_task_run(
    task: Task[..., Any], task_run: TaskRun, state: State[Any], log_lines: int
) -> RunReport:
    return _report(
        task_run,
        state,
        LogFilter(task_run_id=LogFilterTaskRunId(any_=[task_run.id])),
        log_lines,
        kind="task",
        name=task.name,
        parameters=parameters_of(task_run),
        **_name_flow_run_around(),
    )


def _describe_flow_run(
    run: FlowRun, name: str, state: State[Any], parameters: Mapping[str, Any], log_lines: int
) -> RunReport:
    own = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]))
    report = _report(
        run, state, own, log_lines, kind="flow", name=name, flow=name, parameters=parameters
    )
    details: dict[str, Any] = {
        "deployment": name_deployment(run.deployment_id),
        "flow_url": url_for("flow", obj_id=run.flow_id) or "",
    }
    if not state.is_completed():
        task, last = failed_task(run), last_success(run)
        places = [f"task {task.name}" if task else "", report.failed_in]
        details["failed_in"] = ", ".join(filter(None, places))
        details["last_success"] = last.end_time if last else None
    return replace(report, **details)


def _report(
    run: FlowRun | TaskRun,
    state: State[Any],
    entries: LogFilter,
    log_lines: int,
    *,
    kind: Literal["flow", "task"],
    parameters: Mapping[str, Any],
    **details: Any,
) -> RunReport:
    masker = Masker()
    lines = masker.lines(parameters)
    log = read_log(entries, state.timestamp, log_lines, masker)
    message = shorten(masker.redact(state.message or ""), _MAX_MESSAGE)
    return RunReport(
        kind=kind,
        run_name=run.name,
        state=state.name or state.type.value,
        state_type=state.type.value,
        message=message,
        started_at=run.start_time,
        ended_at=state.timestamp,
        attempt=_count_tries(run),
        failed_in=innermost_place(log.traceback),
        traceback=shorten_traceback(log.traceback),
        parameters=tuple(lines),
        log=tuple(_say_once(without_engine_words(message), log.lines)),
        url=url_for(f"{kind}-run", obj_id=run.id) or "",
        **details,
    )


def _say_once(error: str, lines: Iterable[str]) -> Iterator[str]:
    """Shorten the error in the log, where Prefect repeats what the report begins with."""
    _, _, text = error.partition(": ")
    return (line.replace(text, "…") if len(text) > _LONG_TEXT else line for line in lines)


def _count_tries(run: FlowRun | TaskRun) -> str:
    tries = (run.empirical_policy.retries or 0) + 1
    return f"{run.run_count} of {tries}" if tries > 1 and run.run_count else ""


def _name_flow_run_around() -> dict[str, str]:
    context = FlowRunContext.get()
    if context is None or context.flow is None or context.flow_run is None:
        return {}
    return {"flow": context.flow.name, "flow_run": context.flow_run.name}
