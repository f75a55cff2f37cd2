"""A Prefect server of several processes, on PostgreSQL, with Redis between them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.flows.send_grouped import send_grouped
from prefect_smtp_relay.notifications.grouping.sending import send_waiting
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.failure_mails import connect, mail_on_failure
from tests.fleet.databases import postgresql, redis
from tests.fleet.processes import Program, wait_for
from tests.notifications.grouping.failures import fail, in_minutes
from tests.prefect_server import PrefectServer

T = TypeVar("T")

_RUNS = 6
_FAILURES = 40


def _variables(database: str, redis_port: int) -> dict[str, str]:
    """What Prefect's documentation says of a server of several processes."""
    return {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
        "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false",
        "PREFECT_MESSAGING_BROKER": "prefect_redis.messaging",
        "PREFECT_MESSAGING_CACHE": "prefect_redis.messaging",
        "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
        "PREFECT_SERVER_DOCKET_URL": f"redis://127.0.0.1:{redis_port}/1",
        "PREFECT_REDIS_MESSAGING_HOST": "127.0.0.1",
        "PREFECT_REDIS_MESSAGING_PORT": str(redis_port),
    }


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter, too."""
    with tempfile.TemporaryDirectory(prefix="fleet-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def servers(folder: Path) -> Iterator[list[PrefectServer]]:
    """Two API processes, and one for the services, of one Prefect server."""
    with ExitStack() as stack:
        database = stack.enter_context(postgresql(folder / "postgresql"))
        variables = _variables(database, stack.enter_context(redis(folder / "redis")))
        servers = []
        for name in ("one", "two"):
            home = folder / name
            home.mkdir()
            servers.append(PrefectServer(home, "--no-ui", "--no-services", **variables))
        prefect = [sys.executable, "-m", "prefect"]
        environment = servers[0].environment
        subprocess.run(  # noqa: S603  # our own interpreter, fixed arguments
            [*prefect, "server", "database", "upgrade", "-y"], env=environment, check=True
        )
        for server in servers:
            program = Program(server.command, server.environment, server.output, server.is_healthy)
            stack.enter_context(program)
        services = [*prefect, "server", "services", "start"]
        stack.enter_context(Program(services, environment, folder / "services.log"))
        yield servers


def test_an_automation_mails_each_failure_once(
    servers: list[PrefectServer], folder: Path, mail_server: MailServer
) -> None:
    """Whichever API process a run failed at, one mail tells of it."""
    with temporary_settings({PREFECT_API_URL: servers[0].api_url}):
        connect(mail_server.host, mail_server.port)
        mail_on_failure()
    for number in range(_RUNS):
        _fail_a_run(servers[number % 2].api_url, f"run {number}")
    wait_for(lambda: len(mail_server.mails) >= _RUNS, (folder / "services.log").read_text())
    _fail_a_run(servers[0].api_url, "the last one")
    wait_for(lambda: _said(mail_server)["the last one"], (folder / "services.log").read_text())
    assert _said(mail_server) == Counter([*(f"run {n}" for n in range(_RUNS)), "the last one"])


def _said(server: MailServer) -> Counter[str]:
    return Counter(
        line.removeprefix("Message: ").strip()
        for mail in server.mails
        for line in mail.message.get_body(("plain",)).get_content().splitlines()  # type: ignore[union-attr]  # it has a plain part
        if line.startswith("Message: ")
    )


def _fail_a_run(api_url: str, message: str) -> None:
    """Let a flow run fail, as far as one API process can tell."""
    with httpx.Client(base_url=api_url, timeout=30) as client:
        flow = client.post("/flows/", json={"name": "import"}).json()["id"]
        run = UUID(client.post("/flow_runs/", json={"flow_id": flow}).json()["id"])
        failed = {"state": {"type": "FAILED", "message": message}, "force": True}
        client.post(f"/flow_runs/{run}/set_state", json=failed).raise_for_status()


def test_of_failures_at_both_one_is_mailed_and_one_summary_tells_of_the_others(
    servers: list[PrefectServer], mail_server: MailServer
) -> None:
    """PostgreSQL lets one process create a Variable, whichever API process is asked."""

    def at(number: int, ask: Callable[[], T]) -> T:
        with temporary_settings({PREFECT_API_URL: servers[number % 2].api_url}):
            return ask()

    with temporary_settings({PREFECT_API_URL: servers[0].api_url}):
        where = {"address": mail_server.host, "port": mail_server.port, "ssl": False}
        SMTP(**where, from_address="ops@example.org").save("mx", overwrite=True)
        with get_client(sync_client=True) as client:
            client.create_deployment(flow_id=client.create_flow(send_grouped), name="grouped")
    with ThreadPoolExecutor(8) as threads:
        firsts = list(threads.map(lambda n: at(n, lambda: fail(str(n))), range(_FAILURES)))
        assert sum(first is not None for first in firsts) == 1
        later = in_minutes(16)
        sent = list(threads.map(lambda n: at(n, lambda: send_waiting(now=later)), range(8)))
    assert [each.count for some in sent for each in some] == [_FAILURES]
    assert len(mail_server.mails) == 1
