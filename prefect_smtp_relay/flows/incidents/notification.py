"""Tell stakeholders about an incident, for which the UI draws a form: to copy and to adapt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from prefect import flow

from prefect_smtp_relay import Receipt, send_an_email
from prefect_smtp_relay.flows.incidents.incident import Event, Incident
from prefect_smtp_relay.flows.incidents.values import values_of

# Templates: the incident's values show as they were typed, and are never markup.
NEWS: dict[Event, str] = {
    "declared": "{{ summary }}\n\nUpdates will follow in this thread.",
    "updated": "{{ latest or 'There is news about this incident.' }}\n\n{{ summary }}",
    "mitigated": "Users are **no longer affected**. Work on the cause goes on.\n\n"
    "{{ summary or latest }}",
    "resolved": "This incident is **over**{% if age %} after {{ age }}{% endif %}."
    " No further mails will follow.\n\n{{ summary or latest }}",
}
BODY = """\
# INC-{{ number }}: {{ title }}

NEWS

{% for label, url in links %}[{{ label }}]({{ url }} "btn") {% endfor %}

| | |
|-|-|
{% for name, fact in facts -%}
| {{ name }} | {{ fact }} |
{% endfor %}

{% if updates %}
## So far ({{ zone }})

| | |
|-|-|
{% for time, text in updates -%}
| {{ time }} | {{ text }} |
{% endfor %}
{% endif %}"""


def describe(incident: Incident, event: Event, now: datetime) -> dict[str, Any]:
    """Write the mail: the arguments of `send_an_email`, but for the recipients."""
    is_urgent = incident.severity in {"SEV1", "SEV2"} and event != "resolved"
    tone = {"mitigated": "warning", "resolved": "good"}.get(event, "critical")
    return {
        "subject": "INC-{{ number }}: {{ title | truncate(90) }}",
        "body": BODY.replace("NEWS", NEWS[event]),
        "preheader": "{{ severity }} {{ event }}. "
        "{{ latest or summary if event == 'updated' else summary or latest }}",
        "tone": tone,
        "labels": {incident.severity: "critical" if is_urgent else "", event.capitalize(): tone},
        "thread": f"INC-{incident.number}",
        "starts_thread": event == "declared",
        "importance": "high" if is_urgent else "normal",
        "context": values_of(incident, event, now),
    }


@flow(name="incident-notification", flow_run_name="INC-{incident.number} {event}")
def notify_stakeholders(
    incident: Incident, stakeholders: list[str], event: Event = "declared"
) -> Receipt:
    """Mail the stakeholders what has happened to an incident, in one thread for each incident.

    Args:
        incident: What the mail says.
        stakeholders: Who gets it, one mailbox each: Ann Lee <ann@example.org>.
        event: What has happened. The first mail of an incident is that it was declared.
    """
    mail = describe(incident, event, datetime.now(UTC))
    receipt: Receipt = send_an_email(stakeholders, **mail, artifact=True)
    return receipt
