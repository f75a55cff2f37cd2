"""What is counted: runs that hooks are called for, and what automations tell of them."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from prefect.client.schemas.objects import FlowRun, State, TaskRun
from prefect.utilities.urls import url_for

from prefect_smtp_relay.notifications.causes import cause_of, without_ids
from prefect_smtp_relay.notifications.grouping.kind import Kind, Occurrence
from prefect_smtp_relay.notifications.parameters import parameters_of
from prefect_smtp_relay.runtime.requests import request
from prefect_smtp_relay.transports.masking import mask

_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_MAX_IDS = 5
_MAX_TEXT = 120


def subject_of(of: Any, run: FlowRun | TaskRun) -> tuple[str, ...]:
    """Name what fails, and may recover: a flow with its deployment, or a task."""
    if isinstance(run, TaskRun):
        return ("task", of.name)
    return ("flow", of.name, str(run.deployment_id or ""))


def failed_run(
    of: Any, run: FlowRun | TaskRun, state: State[Any], recipients: str, within: timedelta
) -> tuple[Kind, Occurrence]:
    """Describe a failure that a hook is called for.

    Args:
        of, run, state: what Prefect gives a hook.
        recipients, within: of the `Kind`.
    """
    cause = cause_of(state, parameters_of(run))
    kind = Kind(
        subject=subject_of(of, run),
        name=of.name,
        cause=cause.text,
        cause_kind=f"{state.type.value} {cause.kind}",
        state=state.name or state.type.value,
        flow_id=str(run.flow_id) if isinstance(run, FlowRun) else "",
        deployment_id=str(run.deployment_id or "") if isinstance(run, FlowRun) else "",
        recipients=recipients,
        within_seconds=within.total_seconds(),
    )
    return kind, _occurrence(run, state)


def told_failure(
    subject: str, body: str, recipients: str, within: timedelta
) -> tuple[Kind, Occurrence]:
    """Describe what an automation tells of: the flow run that its text names, or the text alone.

    Args:
        subject, body: of the notification; the id of the run may be in the address of its page.
        recipients, within: of the `Kind`.

    Raises:
        Exception: one of `API_ERRORS`.
    """
    run = _run_named_in(f"{subject}\n{body}")
    if run is None or run.state is None:
        return _told_text(subject, body, recipients, within)
    flow = request("GET", "/flows/{id}", path_params={"id": str(run.flow_id)}).json()
    cause = cause_of(run.state, run.parameters)
    kind = Kind(
        subject=("block", recipients, flow["name"]),
        name=flow["name"],
        cause=cause.text,
        cause_kind=f"{run.state.type.value} {cause.kind}",
        state=run.state.name or run.state.type.value,
        flow_id=str(run.flow_id),
        recipients=recipients,
        within_seconds=within.total_seconds(),
    )
    return kind, _occurrence(run, run.state)


def _told_text(
    subject: str, body: str, recipients: str, within: timedelta
) -> tuple[Kind, Occurrence]:
    line = " ".join(mask(f"{subject} {body}").split())
    now = datetime.now(UTC).isoformat()
    kind = Kind(
        subject=("block", recipients),
        name=subject,
        cause=line[:_MAX_TEXT],
        cause_kind=without_ids(line),
        recipients=recipients,
        within_seconds=within.total_seconds(),
    )
    return kind, Occurrence(id=_digest(now, line), name=line[:_MAX_TEXT], at=now)


def _run_named_in(text: str) -> FlowRun | None:
    for run_id in list(dict.fromkeys(_UUID.findall(text)))[:_MAX_IDS]:
        try:
            found = request("GET", "/flow_runs/{id}", path_params={"id": run_id}).json()
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.NOT_FOUND:
                raise
        else:
            run: FlowRun = FlowRun.model_validate(found)
            return run
    return None


def _occurrence(run: FlowRun | TaskRun, state: State[Any]) -> Occurrence:
    kind = "task-run" if isinstance(run, TaskRun) else "flow-run"
    began = run.expected_start_time or run.start_time
    return Occurrence(
        id=_digest(str(run.id), str(state.id)),
        name=run.name,
        at=state.timestamp.isoformat(),
        began=began.isoformat() if began else "",
        url=url_for(kind, obj_id=run.id) or "",
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:32]
