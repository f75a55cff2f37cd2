"""Mail which flow runs have failed or crashed lately; to be run on a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prefect import flow
from prefect.settings import PREFECT_UI_URL

from flows.causes import by_flow_and_cause, count_of, count_states
from flows.failed_runs import find_failed_runs
from prefect_smtp_relay import Receipt, send_an_email

BODY = """\
# {{ title }}

{{ states }}.
{% if url %}
[Open the failed runs in Prefect]({{ url }} "btn")
{% endif %}
{% for flow in flows %}
### {{ flow.name }}

{% for cause in flow.causes %}
**{{ cause.count }} \N{MULTIPLICATION SIGN} {{ cause.text }}**\\
last at {{ cause.last }}: {% for name, url in cause.runs -%}
{% if url %}[{{ name }}]({{ url }}){% else %}{{ name }}{% endif %}
{%- if not loop.last %}, {% endif %}
{%- endfor %}{% if cause.more > 0 %} and {{ cause.more }} more{% endif %}

{% endfor %}
{% endfor %}"""


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
