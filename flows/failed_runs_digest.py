"""Mail which flow runs have failed or crashed lately; to be run on a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterId,
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.utilities.urls import url_for

from prefect_smtp_relay import Receipt, escape_markdown, send_an_email

_MOST_RUNS = 200
_LONGEST_MESSAGE = 120


@task(name="Find failed runs", retries=2, retry_delay_seconds=10)
def find_failed_runs(since: datetime) -> list[tuple[str, FlowRun]]:
    """Read from the Prefect API, newest first, each with the name of its flow."""
    ended = FlowRunFilter(
        state=FlowRunFilterState(
            type=FlowRunFilterStateType(any_=[StateType.FAILED, StateType.CRASHED])
        ),
        end_time=FlowRunFilterEndTime(after_=since),
    )
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(
            flow_run_filter=ended, sort=FlowRunSort.END_TIME_DESC, limit=_MOST_RUNS
        )
        ids = list({run.flow_id for run in runs})
        flows = client.read_flows(flow_filter=FlowFilter(id=FlowFilterId(any_=ids))) if ids else []
    names = {found.id: found.name for found in flows}
    return [(names.get(run.flow_id, "?"), run) for run in runs]


def describe(flow_name: str, run: FlowRun) -> str:
    """Write one row of the mail's table."""
    message = (run.state.message if run.state else "") or ""
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[:_LONGEST_MESSAGE]} …"
    link, name = url_for("flow-run", obj_id=run.id), escape_markdown(run.name)
    when = f"{run.end_time:%Y-%m-%d %H:%M}" if run.end_time else ""
    run_name = f"[{name}](<{link}>)" if link else name
    cells = [escape_markdown(flow_name), run_name, escape_markdown(run.state_name or ""), when]
    return f"| {' | '.join([*cells, escape_markdown(message)])} |"


@flow(name="failed-runs-digest")
def mail_digest(
    recipients: list[str], hours: int = 24, mail_if_nothing_failed: bool = False
) -> Receipt | None:
    """Mail a table of the workspace's failed and crashed flow runs of the last hours."""
    runs = find_failed_runs(datetime.now(UTC) - timedelta(hours=hours))
    if not runs and not mail_if_nothing_failed:
        return None
    count = f"{len(runs)} or more" if len(runs) == _MOST_RUNS else len(runs) or "none"
    title = f"Failed flow runs of the last {hours} hours: {count}"
    table = ["| Flow | Run | State | When (UTC) | Message |", "|---|---|---|---|---|"]
    rows = [describe(flow_name, run) for flow_name, run in runs]
    body = "\n".join(
        [f"# {title}", "", *(table + rows if rows else ["No flow run failed or crashed."])]
    )
    return send_an_email(recipients, title, body, artifact=True)
