"""The artifacts that a flow run left."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient


def artifacts_of(client: SyncPrefectClient, flow_run_id: UUID | None) -> list[dict[str, Any]]:
    """Read the artifacts of a run."""
    query = {"artifacts": {"flow_run_id": {"any_": [str(flow_run_id)]}}}
    found: list[dict[str, Any]] = client.request("POST", "/artifacts/filter", json=query).json()
    return found
