"""The artifacts that a flow run left."""

from __future__ import annotations

from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State


def artifacts_of(client: SyncPrefectClient, state: State[Any]) -> list[dict[str, Any]]:
    """Read the artifacts of the run that ended with this state."""
    of_the_run = {"flow_run_id": {"any_": [str(state.state_details.flow_run_id)]}}
    query = {"artifacts": of_the_run}
    found: list[dict[str, Any]] = client.request("POST", "/artifacts/filter", json=query).json()
    return found
