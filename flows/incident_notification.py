"""Tell stakeholders about an incident: the flow to copy and to adapt.

The incident is a parameter: Prefect's UI draws a form for it. Connected blocks decide on the relay.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from prefect import flow

from flows.incident import Event, Incident, buttons_of, facts_of, say_time
from prefect_smtp_relay import Receipt, mask, send_an_email

NEWS: dict[Event, str] = {
    "declared": "An incident was declared. Updates will follow in this thread.",
    "updated": "There is news about this incident.",
    "mitigated": "Users are **no longer affected**. Work on the cause goes on.",
    "resolved": "This incident is **over**. No further mails will follow.",
}
# A template: the incident's values show as they were typed, and are never markup.
BODY = """\
# INC-{{ number }}: {{ title }}

**{{ severity }}, {{ event }}.** NEWS

{% if summary %}
{{ summary }}

{% endif %}
{% for label, url in links %}[{{ label }}]({{ url }} "btn") {% endfor %}

| | |
|-|-|
{% for name, fact in facts -%}
| {{ name }} | {{ fact }} |
{% endfor %}

{% if updates %}
## So far

| | |
|-|-|
{% for time, text in updates -%}
| {{ time }} | {{ text }} |
{% endfor %}
{% endif %}"""


def describe(incident: Incident, event: Event, now: datetime) -> dict[str, Any]:
    """Write the mail: the arguments of `send_an_email`."""
    is_urgent = incident.severity in {"SEV1", "SEV2"} and event != "resolved"
    return {
        "subject": "INC-{{ number }}: {{ title }}",
        "body": BODY.replace("NEWS", NEWS[event]),
        "preheader": "{{ severity }}, {{ event }}. {{ summary }}",
        "thread": f"INC-{incident.number}",
        "importance": "high" if is_urgent else "normal",
        "context": {
            **incident.model_dump(include={"number", "severity"}),
            "event": event,
            "title": mask(incident.title),
            "summary": mask(incident.summary),
            "links": buttons_of(incident),
            "facts": facts_of(incident, event, now),
            "updates": [(say_time(each.at, now), mask(each.text)) for each in incident.updates],
        },
    }


@flow(name="incident-notification", flow_run_name="INC-{incident.number} {event}")
def notify_stakeholders(
    incident: Incident, stakeholders: list[str], event: Event = "declared"
) -> Receipt:
    """Mail the stakeholders what has happened to an incident, in one thread for each incident."""
    mail = describe(incident, event, datetime.now(UTC))
    receipt: Receipt = send_an_email(stakeholders, **mail, artifact=True)
    return receipt
