"""The mail that reminds of incidents that are still open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from textwrap import shorten
from typing import Any

from prefect_smtp_relay import mask
from prefect_smtp_relay.flows.incidents.incident import Incident
from prefect_smtp_relay.flows.incidents.values import say_age

BODY = """\
# {{ count }} still open

{% for each in incidents %}
**{% if each.url %}[{{ each.name }}]({{ each.url }}){% else %}{{ each.name }}{% endif %}**\\
{{ each.state }}, {{ each.age }}, {{ each.commander }}

{% endfor %}
{% if others %}Open as before: {{ others | join(', ') }}.{% endif %}"""

_URGENT = {"SEV1", "SEV2"}


def describe(
    incidents: Sequence[Incident], others: Sequence[Incident], now: datetime
) -> dict[str, Any]:
    """Write the mail: the arguments of `send_an_email`, but for the recipients.

    Args:
        incidents: those to remind of, the worst first.
        others: those of which nothing is new.
        now: until when they have been open.
    """
    names = [f"INC-{each.number}" for each in incidents]
    counted = Counter(each.severity for each in incidents)
    return {
        "subject": shorten(f"Still open: {', '.join(names)}", 100, placeholder=" ..."),
        "body": BODY,
        "preheader": "{{ incidents[0].name }}, {{ incidents[0].age }}",
        "tone": "critical" if _URGENT & counted.keys() else "warning",
        "labels": {
            f"{count} {severity}": "critical" if severity in _URGENT else ""
            for severity, count in counted.items()
        },
        "thread": "incident-reminder",
        "context": {
            "count": f"{len(names)} incident{'s are' if len(names) != 1 else ' is'}",
            "incidents": [_values(each, now) for each in incidents],
            "others": [f"INC-{each.number}" for each in others],
        },
    }


def _values(incident: Incident, now: datetime) -> dict[str, Any]:
    age, commander = say_age(incident, now), mask(incident.commander)
    return {
        "name": f"INC-{incident.number}: {mask(incident.title)}",
        "url": incident.url,
        "state": f"{incident.severity}, {incident.status}",
        "age": f"open for {age}" if age else "start unknown",
        "commander": f"commander {commander}" if commander else "no commander",
    }
