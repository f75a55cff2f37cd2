"""Failed runs by flow and cause: what the digest shows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sized
from datetime import datetime, timedelta
from typing import Any

from prefect.client.schemas.objects import FlowRun
from prefect.states import Pending
from prefect.utilities.urls import url_for

from prefect_smtp_relay import Cause, cause_of, format_duration, mask

FailedRun = tuple[str, FlowRun]
"""A run, after the name of its flow."""

_LINKS = 3
_TONES = {"failed": "critical", "crashed": "warning"}


def count_states(runs: Iterable[FailedRun]) -> dict[str, str]:
    """Labels such as "29 failed" and "10 crashed", each with its tone."""
    counted = Counter(_cause_of(run).state for _, run in runs).most_common()
    return {f"{count} {state}": _TONES.get(state, "") for state, count in counted}


def count_of(things: Sized, name: str) -> str:
    """For example "1 run", "44 runs"."""
    return f"{len(things)} {name}{'s' if len(things) != 1 else ''}"


def by_flow_and_cause(
    runs: Iterable[FailedRun], earlier: Iterable[FailedRun], now: datetime
) -> list[dict[str, Any]]:
    """Group runs, newest first, by flow and by cause; what differs in numbers is one cause.

    Args:
        runs: those to group.
        earlier: those before them: a cause that they have not is new.
        now: for the ages.
    """
    known = {(flow, _cause_of(run).kind) for flow, run in earlier}
    grouped: dict[str, dict[str, list[FlowRun]]] = defaultdict(lambda: defaultdict(list))
    for flow, run in runs:
        grouped[flow][_cause_of(run).kind].append(run)
    flows = sorted(grouped.items(), key=lambda item: -sum(map(len, item[1].values())))
    return [
        {
            "name": mask(flow),
            "causes": [
                _describe(group, now) | {"is_new": (flow, kind) not in known}
                for kind, group in sorted(causes.items(), key=lambda item: -len(item[1]))
            ],
        }
        for flow, causes in flows
    ]


def _describe(runs: list[FlowRun], now: datetime) -> dict[str, Any]:
    last = runs[0].end_time
    return {
        "times": f"{len(runs)}\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}",
        "text": _cause_of(runs[0]).text,
        "last": _say_age(now - last) if last else "",
        "runs": [(mask(each.name), url_for("flow-run", each.id) or "") for each in runs[:_LINKS]],
        "more": len(runs) - _LINKS,
    }


def _say_age(age: timedelta) -> str:
    """In one unit: ``7 h ago``."""
    return f"{' '.join(format_duration(age).split()[:2])} ago"


def _cause_of(run: FlowRun) -> Cause:
    return cause_of(run.state or Pending(), run.parameters)
