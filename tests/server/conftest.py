"""A real ``prefect server start``, in a process of its own, as teams run it themselves."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from prefect_smtp_relay.testing.mail_server import MailServer

T = TypeVar("T")

_STARTUP_SECONDS = 180
_SHUTDOWN_SECONDS = 30
_WAIT_SECONDS = 60


@dataclass(frozen=True)
class RealServer:
    """A running server.

    Args:
        url: of its API.
        auth_string: what its API asks for, or blank.
        process: the server.
        home: its PREFECT_HOME, with its outbox.
        output: the file with what it printed.
    """

    url: str
    auth_string: str
    process: subprocess.Popen[bytes]
    home: Path
    output: Path

    @property
    def client_environment(self) -> dict[str, str]:
        """The environment of a process that works with this server."""
        auth = {"PREFECT_API_AUTH_STRING": self.auth_string} if self.auth_string else {}
        return {**_environment(self.home), "PREFECT_API_URL": self.url, **auth}

    @property
    def outbox(self) -> Path:
        """Where the server keeps mail."""
        return self.home / "smtp-relay" / "outbox"

    def child_processes(self) -> set[str]:
        """The processes that the server has started; where there is no /proc, none are found."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return {pid for file in tasks.glob("*/children") for pid in file.read_text().split()}

    def is_healthy(self) -> bool:
        """Whether the API answers."""
        try:
            return httpx.get(f"{self.url}/health", timeout=20).is_success
        except httpx.TransportError:
            return False


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    return {**kept, "PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def _running(home: Path, port: int, configuration: Mapping[str, str]) -> Iterator[RealServer]:
    address = ["--host", "127.0.0.1", "--port", str(port)]
    output = home / "server.log"
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter, fixed arguments
            [sys.executable, "-m", "prefect", "server", "start", "--no-ui", *address],
            env={**_environment(home), **configuration},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    auth_string = configuration.get("PREFECT_SERVER_API_AUTH_STRING", "")
    server = RealServer(f"http://127.0.0.1:{port}/api", auth_string, process, home, output)
    try:
        _wait_until_up(server)
        yield server
    finally:
        _stop(process)


def _wait_until_up(server: RealServer) -> None:
    give_up_at = time.monotonic() + _STARTUP_SECONDS
    while not server.is_healthy():
        if server.process.poll() is not None or time.monotonic() > give_up_at:
            pytest.fail(f"the server did not start:\n{server.output.read_text()}")
        time.sleep(0.2)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_SHUTDOWN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


CONFIGURATIONS: dict[str, Callable[[int], dict[str, str]]] = {
    "default": lambda _: {},
    "api-url": lambda port: {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"},
    "basic-auth": lambda _: {
        "PREFECT_SERVER_API_AUTH_STRING": "admin:canary-of-the-api",
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
    },
}
"""By name: what is set in the environment of a server on a port."""


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealServer]:
    """Run a server on SQLite, once for each configuration."""
    port = _free_port()
    configuration = CONFIGURATIONS[request.param](port)
    with _running(tmp_path_factory.mktemp("prefect"), port, configuration) as server:
        yield server


@pytest.fixture
def client(server: RealServer) -> Iterator[SyncPrefectClient]:
    """Point this process at the server, and give a client of it; leave nothing behind."""
    settings = {PREFECT_API_URL: server.url, PREFECT_API_AUTH_STRING: server.auth_string or None}
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
