"""Which flow runs failed or crashed."""

from __future__ import annotations

from datetime import datetime

from prefect import task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort

_PAGE, _MAX_RUNS = 200, 2000


@task(name="Find failed runs", retries=2, retry_delay_seconds=10)
def find_failed_runs(since: datetime) -> list[tuple[str, FlowRun]]:
    """Read from the Prefect API, newest first, each with the name of its flow."""
    types = FlowRunFilterStateType(any_=[StateType.FAILED, StateType.CRASHED])
    ended = FlowRunFilter(
        state=FlowRunFilterState(type=types), end_time=FlowRunFilterEndTime(after_=since)
    )
    runs: list[FlowRun] = []
    with get_client(sync_client=True) as client:
        for offset in range(0, _MAX_RUNS, _PAGE):
            runs += client.read_flow_runs(
                flow_run_filter=ended, sort=FlowRunSort.END_TIME_DESC, limit=_PAGE, offset=offset
            )
            if len(runs) < offset + _PAGE:
                break
        names = {id_: client.read_flow(id_).name for id_ in {run.flow_id for run in runs}}
    return [(names[run.flow_id], run) for run in runs]
