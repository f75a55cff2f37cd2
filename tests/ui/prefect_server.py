"""A real ``prefect server start`` with its interfaces, in a folder of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

_STARTUP_SECONDS = 180
_STOP_SECONDS = 30
_POLL_SECONDS = 0.2


class ServerProcess:
    """A server on SQLite, and the ``prefect`` commands that talk to it.

    Args:
        home: an empty folder for the database, the log and the interfaces' files.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.api_url = f"{self.url}/api"
        self._log = home / "server.log"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start the server, wait until it answers, and stop it in the end."""
        where = ["--host", "127.0.0.1", "--port", str(self.port)]
        with self._log.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # our own interpreter, fixed arguments
                [*_PREFECT, "server", "start", *where],
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_for(process)
            yield
        finally:
            _stop(process)

    def run(self, *words: str) -> str:
        """Run a ``prefect`` command against the server, and return what it prints."""
        done = subprocess.run(  # noqa: S603
            [*_PREFECT, *words],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _environment(self) -> dict[str, str]:
        """This process's variables, without what they say about another Prefect."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("PREFECT_")}
        return kept | {
            "PREFECT_HOME": str(self.home),
            "PREFECT_API_URL": self.api_url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
            "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(self.home / "interfaces"),
        }

    def _wait_for(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _STARTUP_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if httpx.get(f"{self.api_url}/health", timeout=10).is_success:
                    return
            except httpx.TransportError:
                time.sleep(_POLL_SECONDS)
        raise AssertionError(f"the server did not start: {self._log.read_text()[-3000:]}")


_PREFECT = (sys.executable, "-m", "prefect")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
