"""The mail about flow runs that have failed or crashed lately."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from prefect_smtp_relay import runs_url
from prefect_smtp_relay.flows.runs.causes import (
    FailedRun,
    by_flow_and_cause,
    count_of,
    count_states,
)

# A value's line end ends the line: in a table, nothing else does.
BODY = """\
# {{ title }}

{{ summary }}
{% if url %}
[Open the failed runs in Prefect]({{ url }} "btn")
{% endif %}
{% for flow in flows %}
### {{ flow.name }}

| | |
|-|-|
{% for cause in flow.causes -%}
| {{ cause.times }} | **{% if cause.is_new %}New: {% endif -%}
{{ cause.text }}**{{ line_end }}{{ cause.last }}: {% for name, url in cause.runs -%}
{% if url %}[{{ name }}]({{ url }}){% else %}{{ name }}{% endif %}
{%- if not loop.last %}, {% endif %}
{%- endfor %}{% if cause.more > 0 %} and {{ cause.more }} more{% endif %} |
{% endfor %}

{% endfor %}"""


def describe(
    runs: Sequence[FailedRun], earlier: Sequence[FailedRun], hours: int, now: datetime
) -> dict[str, Any]:
    """Write the mail: the arguments of `send_an_email`, but for the recipients.

    Args:
        runs: those of the last hours, newest first.
        earlier: those of as many hours before.
        hours: how many.
        now: until when.
    """
    flows = by_flow_and_cause(runs, earlier, now)
    causes = [cause for flow in flows for cause in flow["causes"]]
    new = sum(cause["is_new"] for cause in causes)
    lately = "hour" if hours == 1 else f"{hours} hours"
    found = f"{count_of(runs, 'run')} of {count_of(flows, 'flow')}" if runs else "No run"
    summary = f"{count_of(causes, 'cause')}, {new or 'none'} of them new." if runs else ""
    starts = [start for _, run in runs if (start := run.expected_start_time)]
    return {
        "subject": "{{ title }}",
        "body": BODY,
        "preheader": "{{ summary }} {{ flows[0].causes[0].text if flows else '' }}",
        "tone": "warning" if runs else "good",
        "labels": count_states(runs) or ["All well"],
        "thread": "failed-runs-digest",
        "context": {
            "title": f"{found} failed in the last {lately}",
            "summary": summary,
            "url": runs_url({run.state_name or "" for _, run in runs}, min(starts), now)
            if starts
            else "",
            "flows": flows,
            "line_end": "\n",
        },
    }
