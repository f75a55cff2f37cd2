"""The example deployments on a real Prefect server, with a real worker."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.deployments.workspace import Workspace
from tests.prefect_server import PrefectServer

ROOT = Path(__file__).parents[2]
_COPIED = ("flows", "demo", "prefect.yaml", "automations.yaml")
_POOL = "default-process"


@contextmanager
def _working(server: PrefectServer, log: Path) -> Iterator[None]:
    """Run a worker that asks for work every second."""
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter, fixed arguments
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", _POOL],
            env=server.client_environment | {"PREFECT_WORKER_QUERY_SECONDS": "1"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _copy_project(folder: Path) -> Path:
    folder.mkdir()
    for name in _COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    shutil.copy(Path(__file__).with_name("broken.py"), folder / "broken.py")
    return folder


@pytest.fixture(scope="module")
def mails() -> Iterator[MailServer]:
    """Run a mail server for the module: mails come from processes that know its port."""
    with MailServer() as server:
        yield server


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, mails: MailServer) -> Iterator[Workspace]:
    """Start a server, connect a relay, deploy all example flows and the broken ones, and work."""
    home = tmp_path_factory.mktemp("prefect")
    server = PrefectServer(home, "--no-ui")
    project = _copy_project(tmp_path_factory.mktemp("checkout") / "project")
    with server.running(), temporary_settings({PREFECT_API_URL: server.api_url}):
        SMTP(
            address=mails.host, port=mails.port, ssl=False, from_address="prefect@example.org"
        ).save("main")
        workspace = Workspace(server, project, mails)
        workspace.prefect("work-pool", "create", _POOL, "--type", "process")
        workspace.prefect("deploy", "--all")
        for name in ("broken", "killed", "slow"):
            workspace.prefect("deploy", f"broken.py:{name}", "--name", "test", "--pool", _POOL)
        with _working(server, home / "worker.log"):
            yield workspace


@pytest.fixture
def client(workspace: Workspace) -> Iterator[SyncPrefectClient]:
    """Give a client of the server."""
    del workspace
    with get_client(sync_client=True) as client:
        yield client
