"""The Prefect API, asked by clients that this process keeps."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from prefect.client.orchestration import get_client
from prefect.settings import get_current_settings

from prefect_smtp_relay.process_memory import process_memory

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.settings import Settings

T = TypeVar("T")

API_ERRORS = (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError, ValueError)
"""What Prefect's client raises where the API cannot be asked, or answers something else."""

_MAX_CLIENTS = 4


class ApiClients:
    """One client for each API; a client costs 25 ms, mostly for reading the CA certificates.

    Prefect's own client contexts keep one only for the length of a sync flow run, and none in an
    async or a mapped task.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: OrderedDict[tuple[Any, ...], SyncPrefectClient] = OrderedDict()

    def current(self) -> SyncPrefectClient:
        """Return the client of the API that the current settings name.

        Raises:
            Exception: one of `API_ERRORS`; the API cannot be reached, or is of another version.
        """
        key = _identity(get_current_settings())
        with self._lock:
            client = self._clients.get(key) or self._clients.setdefault(key, _open())
            self._clients.move_to_end(key)
            while len(self._clients) > _MAX_CLIENTS:
                _close(self._clients.popitem(last=False)[1])
        return client

    def drop(self, client: SyncPrefectClient) -> None:
        """Forget a client whose API did not answer: a temporary server may have ended."""
        with self._lock:
            for key in [key for key, kept in self._clients.items() if kept is client]:
                _close(self._clients.pop(key))

    def close(self) -> None:
        """Close every client."""
        for client in self._clients.values():
            _close(client)


def ask(question: Callable[[SyncPrefectClient], T]) -> T:
    """Ask the Prefect API from any thread.

    Args:
        question: gets the client, and returns the answer.

    Raises:
        Exception: one of `API_ERRORS`.
    """
    clients = process_memory.of(ApiClients)
    client = clients.current()
    try:
        return question(client)
    except httpx.TransportError:
        clients.drop(client)
        raise


def _identity(settings: Settings) -> tuple[Any, ...]:
    """What a client is made from."""
    api, client = settings.api, settings.client
    return (
        api.url,
        api.key and api.key.get_secret_value(),
        api.auth_string and api.auth_string.get_secret_value(),
        api.tls_insecure_skip_verify,
        api.ssl_cert_file,
        api.enable_http2,
        api.request_timeout,
        tuple(client.custom_headers.items()),
        client.csrf_support_enabled,
    )


def _open() -> SyncPrefectClient:
    # With settings of its own it is not the client of a flow run, which closes it.
    client = get_client(sync_client=True, httpx_settings={"headers": {}})
    client.__enter__()
    if get_current_settings().client.server_version_check_enabled:
        client.raise_for_api_version_mismatch_once()
    return client


def _close(client: SyncPrefectClient) -> None:
    with contextlib.suppress(Exception):  # the process ends, or its settings have changed
        client.__exit__(None, None, None)
