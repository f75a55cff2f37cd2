"""Runs of the deployment that sends what was counted."""

from __future__ import annotations

from datetime import datetime

from prefect_smtp_relay.runtime.requests import request

FLOW_NAME = "send-grouped"


def schedule_sending(at: datetime, key: str) -> bool:
    """Let a run of the flow ``send-grouped`` begin at a moment.

    Args:
        at: not before this moment.
        key: the same one schedules one run only.

    Returns:
        False where the flow has no deployment.
    """
    flow = {"flows": {"name": {"any_": [FLOW_NAME]}}, "limit": 1}
    found = request("POST", "/deployments/filter", json=flow).json()
    if not found:
        return False
    details = {"scheduled_time": at.isoformat()}
    state = {"type": "SCHEDULED", "name": "Scheduled", "state_details": details}
    request(
        "POST",
        "/deployments/{id}/create_flow_run",
        path_params={"id": found[0]["id"]},
        json={"state": state, "idempotency_key": key},
    )
    return True
