"""What ``init`` deploys, on a real Prefect server, with a real worker."""

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

from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.deployments.workspace import POOL, Workspace
from tests.prefect_server import PrefectServer

ROOT = Path(__file__).parents[2]
_INCIDENTS = ROOT / "demo" / "incidents.json"


@contextmanager
def _working(server: PrefectServer, log: Path, authority: Path) -> Iterator[None]:
    """Run a worker that asks for work every second, and trusts a certificate authority of ours."""
    variables = {"PREFECT_WORKER_QUERY_SECONDS": "1", "SSL_CERT_FILE": str(authority)}
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter, fixed arguments
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL],
            env=server.client_environment | variables,
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


@pytest.fixture(scope="package")
def mails() -> Iterator[MailServer]:
    """Run a mail server for the tests: mails come from processes that know its port."""
    with MailServer() as server:
        yield server


@pytest.fixture(scope="package")
def workspace(
    tmp_path_factory: pytest.TempPathFactory, mails: MailServer, certificates: Certificates
) -> Iterator[Workspace]:
    """Start a server, connect a relay, deploy all flows and some broken ones, and work."""
    home, project = tmp_path_factory.mktemp("prefect"), tmp_path_factory.mktemp("project")
    server = PrefectServer(home)
    server.variables["PREFECT_API_URL"] = server.api_url  # for the UI
    authority = home / "authority.pem"
    authority.write_text(certificates.ca_pem, "ascii")
    with server.running(), temporary_settings({PREFECT_API_URL: server.api_url}):
        workspace = Workspace(server, project, mails)
        workspace.connect()
        workspace.init("--no-deploy", "--recipient", "On call <oncall@example.org>")
        _name_incidents(workspace.files / "prefect.yaml")
        workspace.init()
        delete_automations()
        shutil.copy(Path(__file__).with_name("broken.py"), project)
        for name in ("broken", "killed", "slow"):
            workspace.prefect("deploy", f"broken.py:{name}", "--name", "test", "--pool", POOL)
        with _working(server, home / "worker.log", authority):
            yield workspace


def _name_incidents(file: Path) -> None:
    """Edit the file as people do."""
    text = file.read_text("utf-8")
    assert "source: incidents.json" in text
    file.write_text(text.replace("source: incidents.json", f"source: {_INCIDENTS}"), "utf-8")


def delete_automations() -> None:
    """Delete all: each test that needs them makes them."""
    with get_client(sync_client=True) as client:
        for automation in client.request("POST", "/automations/filter", json={}).json():
            client.request("DELETE", "/automations/{id}", path_params={"id": automation["id"]})


@pytest.fixture
def client(workspace: Workspace) -> Iterator[SyncPrefectClient]:
    """Give a client of the server."""
    del workspace
    with get_client(sync_client=True) as client:
        yield client
