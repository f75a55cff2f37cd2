"""Prefect's server, asked from inside its own process, where automations run their actions.

There ``get_client()`` and ``emit_event()`` would start a second, temporary server where no
PREFECT_API_URL is set, and would not know the server's password where one is set. So the app in
the process is asked without a network, as the server's own services ask it.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import anyio.from_thread
from prefect.client.orchestration import PrefectClient
from prefect.context import FlowRunContext, TaskRunContext
from prefect.logging import get_logger
from prefect.settings import get_current_settings

if TYPE_CHECKING:
    import httpx
    from prefect.client.orchestration.base import HTTP_METHODS
    from prefect.client.orchestration.routes import ServerRoutes
    from prefect.server.events.schemas.events import Event

_IS_ENTERED: ContextVar[bool] = ContextVar("prefect_smtp_relay_server_process", default=False)


@contextmanager
def entered() -> Iterator[None]:
    """Let worker threads that are started below ask the server, where it is this process.

    Only for the event loop's thread; anywhere but in the server it changes nothing.
    """
    token = _IS_ENTERED.set(_is_server_process())
    try:
        yield
    finally:
        _IS_ENTERED.reset(token)


def is_entered() -> bool:
    """Whether this is a worker thread of Prefect's server, in which `request` and `emit` work."""
    return _IS_ENTERED.get()


def request(method: HTTP_METHODS, path: ServerRoutes, **details: Any) -> httpx.Response:
    """Ask the server's API on the server's event loop, and wait for the answer.

    Args:
        method, path: without ``/api``.
        details: ``json`` and ``path_params``, as for Prefect's clients.

    Raises:
        httpx.HTTPStatusError: the API refused the request, or failed.
    """
    return anyio.from_thread.run(partial(_request, _client(), method, path, **details))


def emit(event: str, resource: dict[str, str], payload: dict[str, Any]) -> None:
    """Publish an event to the server's own stream; as with ``emit_event``, a failure is logged."""
    from prefect.server.events.schemas.events import Event  # loaded already, in this process

    values = {"event": event, "resource": resource, "payload": payload, "id": uuid4()}
    anyio.from_thread.run(_publish, Event.model_validate({**values, "occurred": datetime.now(UTC)}))


def _is_server_process() -> bool:
    """Whether this process has built the server's app, and no run brings an API of its own.

    ``prefect server start`` builds it to serve it; the server's services, where they run in a
    process of their own, build it before they call a block. Clients never do.
    """
    module = sys.modules.get("prefect.server.api.server")
    has_app = module is not None and bool(module.APP_CACHE)
    return has_app and not (FlowRunContext.get() or TaskRunContext.get())


def _client() -> PrefectClient:
    from prefect.server.api.server import create_app

    api = get_current_settings().server.api
    client = PrefectClient(
        create_app(),  # the running app: it is cached
        auth_string=api.auth_string.get_secret_value() if api.auth_string else None,
        httpx_settings={
            "base_url": f"http://prefect-in-process{api.base_path or '/api'}",
            # No network, no certificates: otherwise each client loads the CA bundle, for 30 ms.
            "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        },
    )
    client.manage_lifespan = False  # the server has started its app, or runs only its services
    return client


async def _request(
    client: PrefectClient, method: HTTP_METHODS, path: ServerRoutes, **details: Any
) -> httpx.Response:
    async with client:
        return await client.request(method, path, **details)


async def _publish(event: Event) -> None:
    from prefect.server.events.clients import PrefectServerEventsClient

    try:
        async with PrefectServerEventsClient() as events:
            await events.emit(event)
    except Exception:  # whatever the broker raises: the mail is out, or its error is told
        get_logger("smtp_relay").exception("Error emitting event: %s", event.event)
