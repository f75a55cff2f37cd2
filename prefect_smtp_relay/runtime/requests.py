"""Requests to the Prefect API that work in Prefect's server process too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect_smtp_relay.runtime import in_server as server_process
from prefect_smtp_relay.runtime.api import ask

if TYPE_CHECKING:
    import httpx
    from prefect.client.orchestration.base import HTTP_METHODS
    from prefect.client.orchestration.routes import ServerRoutes


def request(method: HTTP_METHODS, path: ServerRoutes, **details: Any) -> httpx.Response:
    """Ask the Prefect API from any thread.

    Args:
        method, path: as Prefect's clients take them.
        details: ``json`` and ``path_params``.

    Raises:
        Exception: one of `prefect_smtp_relay.runtime.api.API_ERRORS`.
    """
    if server_process.is_entered():
        return server_process.request(method, path, **details)
    return ask(lambda client: client.request(method, path, **details))
