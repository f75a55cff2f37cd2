"""Runs of the deployment that sends what was counted."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from prefect_smtp_relay.runtime.requests import request

FLOW_NAME = "send-grouped"

_TOGETHER_SECONDS = 10


def schedule_sending(at: datetime, key: str) -> bool:
    """Let a run of the flow ``send-grouped`` begin at a moment, or up to ten seconds later.

    Args:
        at: not before this moment.
        key: who wants it; those who want the same at about the same moment get one run.

    Returns:
        False where the flow has no deployment.
    """
    flow = {"flows": {"name": {"any_": [FLOW_NAME]}}, "limit": 1}
    found = request("POST", "/deployments/filter", json=flow).json()
    if not found:
        return False
    begins = math.ceil(at.timestamp() / _TOGETHER_SECONDS) * _TOGETHER_SECONDS
    details = {"scheduled_time": datetime.fromtimestamp(begins, UTC).isoformat()}
    state = {"type": "SCHEDULED", "name": "Scheduled", "state_details": details}
    request(
        "POST",
        "/deployments/{id}/create_flow_run",
        path_params={"id": found[0]["id"]},
        json={"state": state, "idempotency_key": f"{key}{begins}"},
    )
    return True
