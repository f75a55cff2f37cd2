"""Mail which flow runs have failed or crashed lately; to be run on a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.settings import PREFECT_UI_URL

from flows.causes import by_flow_and_cause, count_of, count_states
from prefect_smtp_relay import Receipt, send_an_email

_PAGE, _MAX_RUNS = 200, 2000

BODY = """\
# {{ title }}

{{ states }}.
{% if url %}
[Open the failed runs in Prefect]({{ url }} "btn")
{% endif %}
{% for flow in flows %}
## {{ flow.name }}

{% for cause in flow.causes %}
**{{ cause.count }} \N{MULTIPLICATION SIGN} {{ cause.text }}**
last at {{ cause.last }}: {% for name, url in cause.runs -%}
{% if url %}[{{ name }}]({{ url }}){% else %}{{ name }}{% endif %}
{%- if not loop.last %}, {% endif %}
{%- endfor %}{% if cause.more > 0 %} and {{ cause.more }} more{% endif %}

{% endfor %}
{% endfor %}"""


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


@flow(name="failed-runs-digest")
def mail_digest(
    recipients: list[str], hours: int = 24, mail_if_nothing_failed: bool = False
) -> Receipt | None:
    """Mail which flow runs of the last hours have failed or crashed, by flow and cause."""
    runs = find_failed_runs(datetime.now(UTC) - timedelta(hours=hours))
    if not runs and not mail_if_nothing_failed:
        return None
    flows = by_flow_and_cause(runs)
    found = f"{count_of(runs, 'run')} of {count_of(flows, 'flow')}" if runs else "No run"
    ui = PREFECT_UI_URL.value()
    context = {
        "title": f"{found} failed in the last {hours} hours",
        "states": count_states(run for _, run in runs) or "Nothing failed or crashed",
        "url": f"{ui}/runs?state=Failed&state=Crashed&state=TimedOut" if ui and runs else "",
        "flows": flows,
    }
    return send_an_email(
        recipients, "{{ title }}", BODY, context=context, thread="failed-runs-digest", artifact=True
    )
