"""Failed runs by flow and cause: what the digest shows."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sized
from typing import Any

from prefect.client.schemas.objects import FlowRun
from prefect.states import Pending
from prefect.utilities.urls import url_for

from prefect_smtp_relay import Cause, cause_of

_CAPITAL_WITHIN = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LINKS = 3


def state_of(run: FlowRun) -> str:
    """``TimedOut`` as "timed out"."""
    return _CAPITAL_WITHIN.sub(" ", run.state_name or "").lower()


def count_states(runs: Iterable[FlowRun]) -> str:
    """For example "29 failed, 10 crashed, 5 timed out"."""
    counted = Counter(map(state_of, runs)).most_common()
    return ", ".join(f"{count} {state}" for state, count in counted)


def count_of(things: Sized, name: str) -> str:
    """For example "1 run", "44 runs"."""
    return f"{len(things)} {name}{'s' if len(things) != 1 else ''}"


def by_flow_and_cause(runs: Iterable[tuple[str, FlowRun]]) -> list[dict[str, Any]]:
    """Group runs, newest first, by flow and by cause; what differs in numbers is one cause."""
    grouped: dict[str, dict[str, list[FlowRun]]] = defaultdict(lambda: defaultdict(list))
    for flow_name, run in runs:
        grouped[flow_name][_cause_of(run).kind].append(run)
    flows = sorted(grouped.items(), key=lambda item: -sum(map(len, item[1].values())))
    return [
        {
            "name": name,
            "causes": [_cause(group) for group in sorted(causes.values(), key=len)[::-1]],
        }
        for name, causes in flows
    ]


def _cause_of(run: FlowRun) -> Cause:
    return cause_of(run.state or Pending())


def _cause(runs: list[FlowRun]) -> dict[str, Any]:
    last = runs[0].end_time
    return {
        "count": len(runs),
        "text": _cause_of(runs[0]).text,
        "last": f"{last:%a %H:%M} UTC" if last else "",
        "runs": [(run.name, url_for("flow-run", obj_id=run.id) or "") for run in runs[:_LINKS]],
        "more": len(runs) - _LINKS,
    }
