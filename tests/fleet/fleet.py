"""A Prefect server, a worker, a deployment and a mail server: each a process that may be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.fleet.deployed import PID_FILE, POOL, ROOT, recipient
from tests.fleet.disk_mail_server import Accepted, Audit, accepted_mails
from tests.fleet.processes import Program, listens
from tests.fleet.small_disk import SmallDisk
from tests.prefect_server import PrefectServer, copy_database, free_port

_FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Fleet:
    """What the kills strike.

    Args:
        home: an empty folder for all of it.
        settings: of the worker and the flow runs.
    """

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        server = PrefectServer(home, "--no-ui")
        port = free_port()
        self._mails = home / "mails.jsonl"
        self._pid = home / "run.pid"
        self._client = httpx.Client(base_url=server.api_url, timeout=30)
        self.disk = SmallDisk(home / "spool")
        spool = {"PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL": str(self.disk.folder / "mail")}
        environment = server.client_environment | spool | settings
        self._environment = environment | {
            PID_FILE: str(self._pid),
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
        }
        self.mail_port = port
        self.mail_server = Program(
            [sys.executable, "-m", "tests.fleet.disk_mail_server", str(port), str(self._mails)],
            environment,
            home / "mail-server.log",
            lambda: listens(port),
        )
        self.api = Program(
            server.command, server.environment, home / "server.log", server.is_healthy
        )
        self.worker = self.new_worker("worker")

    def new_worker(self, name: str) -> Program:
        """A worker of the pool, which takes one run at a time."""
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL]
        command += ["--name", name, "--limit", "1"]
        return Program(command, self._environment, self.log_of(name))

    def log_of(self, name: str) -> Path:
        """What a worker prints."""
        return self.home / f"{name}.log"

    @contextmanager
    def running(self) -> Iterator[Fleet]:
        """Start all of it, and deploy the flow."""
        copy_database(self.home)
        with ExitStack() as stack:
            stack.enter_context(self._client)
            stack.enter_context(self.disk.mounted())
            stack.callback(self.kill_run)
            stack.enter_context(self.mail_server)
            stack.enter_context(self.api)
            subprocess.run(  # noqa: S603  # our own interpreter
                [sys.executable, "-m", "tests.fleet.deployed", str(self.mail_port)],
                env=self._environment,
                cwd=ROOT,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            found = self._ask("/deployments/name/announce/killed", method="GET")
            self._deployment = found["id"]
            stack.enter_context(self.worker)
            yield self

    def create_run(self, **parameters: Any) -> str:
        """Let the deployment run, and return the id of the run."""
        path = f"/deployments/{self._deployment}/create_flow_run"
        run_id: str = self._ask(path, {"parameters": parameters})["id"]
        return run_id

    def state(self, run_id: str) -> str:
        """The type of the run's state."""
        state: str = self._ask(f"/flow_runs/{run_id}", method="GET")["state_type"]
        return state

    def set_state(self, run_id: str, state: str) -> None:
        """Change it, as Prefect's automations do."""
        self._ask(f"/flow_runs/{run_id}/set_state", {"state": {"type": state}, "force": True})

    def is_under_way(self) -> bool:
        """Whether the flow's process runs, as far as it was not killed here."""
        return self._pid.exists()

    def kill_run(self) -> None:
        """Kill the process of the flow run, if there is one."""
        if self._pid.exists():
            with suppress(ProcessLookupError):
                os.kill(int(self._pid.read_text()), signal.SIGKILL)
            self._pid.unlink()

    def mails(self, run_id: str) -> list[Accepted]:
        """What was accepted of a run."""
        domain = f"@{run_id}.example.org"
        return [mail for mail in accepted_mails(self._mails) if mail.to.endswith(domain)]

    def audit(self, run_id: str, count: int) -> Audit:
        """Compare what was to be sent with what was accepted."""
        expected = (recipient(run_id, number) for number in range(count))
        return Audit.of(expected, self.mails(run_id))

    def _ask(self, path: str, json: Any = None, method: str = "POST") -> Any:
        answer = self._client.request(method, path, json=json)
        while answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:  # SQLite is locked
            time.sleep(1)
            answer = self._client.request(method, path, json=json)
        answer.raise_for_status()
        return answer.json()


def is_final(state: str) -> bool:
    """Whether Prefect leaves the run as it is."""
    return state in _FINAL
