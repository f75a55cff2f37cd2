"""A real ``prefect server start``, in a process of its own, as teams run it themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from prefect_smtp_relay.testing.mail_server import MailServer
from tests.prefect_server import PrefectServer

T = TypeVar("T")

_WAIT_SECONDS = 60

CONFIGURATIONS = {
    "default": {},
    "api-url": {"PREFECT_API_URL": "{api_url}"},
    "basic-auth": {
        "PREFECT_SERVER_API_AUTH_STRING": "admin:canary-of-the-api",
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
    },
}
"""By name: what is set in the environment of a server."""


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrefectServer]:
    """Run a server on SQLite, once for each configuration."""
    server = PrefectServer(tmp_path_factory.mktemp("prefect"), "--no-ui")
    for name, text in CONFIGURATIONS[request.param].items():
        server.variables[name] = text.format(api_url=server.api_url)
    with server.running():
        yield server


@pytest.fixture
def client(server: PrefectServer) -> Iterator[SyncPrefectClient]:
    """Point this process at the server, and give a client of it; leave nothing behind."""
    settings = {
        PREFECT_API_URL: server.api_url,
        PREFECT_API_AUTH_STRING: server.auth_string or None,
    }
    with temporary_settings(settings), get_client(sync_client=True) as client:
        yield client
        for automation in client.request("POST", "/automations/filter", json={}).json():
            client.request("DELETE", "/automations/{id}", path_params={"id": automation["id"]})
        for document in client.read_block_documents():
            client.delete_block_document(document.id)


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """Run a mail server without TLS and without users: what it takes is what is tested."""
    with MailServer() as server:
        yield server


@pytest.fixture
def wait_for() -> Callable[[Callable[[], T]], T]:
    """Ask again until the answer is true."""

    def wait(ask: Callable[[], T]) -> T:
        give_up_at = time.monotonic() + _WAIT_SECONDS
        while not (answer := ask()) and time.monotonic() < give_up_at:
            time.sleep(0.1)
        return answer

    return wait
