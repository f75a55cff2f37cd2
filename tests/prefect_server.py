"""Prefect servers in processes of their own, each with a folder and a database of its own."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path

import httpx
from filelock import FileLock

from prefect_smtp_relay import SendAnEmail

_CACHE = Path(__file__).parents[1] / ".pytest_cache"
_STARTUP_SECONDS = 180
_STOP_SECONDS = 5
_POLL_SECONDS = 0.1
_DATABASE = "prefect.db"
_PREFECT = (sys.executable, "-m", "prefect")
_API = ("uvicorn", "--factory", "prefect.server.api.server:create_app", "--log-level", "error")


class PrefectServer:
    """A ``prefect server start`` as teams run it, and the commands that talk to it.

    Args:
        home: an empty folder; it becomes the PREFECT_HOME of the server and of its clients.
        options: of the command, ``--no-ui`` for example.
        variables: what is set where the server runs.
    """

    def __init__(self, home: Path, *options: str, **variables: str) -> None:
        self.home = home
        self.variables = variables
        self.url = f"http://127.0.0.1:{free_port()}"
        self.api_url = f"{self.url}/api"
        self.output = home / "server.log"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def auth_string(self) -> str:
        """What the API asks for, or empty."""
        return self.variables.get("PREFECT_SERVER_API_AUTH_STRING", "")

    @property
    def client_environment(self) -> dict[str, str]:
        """The environment of a process that works with this server."""
        auth = {"PREFECT_API_AUTH_STRING": self.auth_string} if self.auth_string else {}
        return clean_environment(self.home) | {"PREFECT_API_URL": self.api_url} | auth

    @property
    def outbox(self) -> Path:
        """Where the server keeps mail."""
        return self.home / "smtp-relay" / "spool" / "outbox"

    @property
    def command(self) -> list[str]:
        """What starts it."""
        where = ["--host", "127.0.0.1", "--port", self.url.rpartition(":")[2]]
        return [*_PREFECT, "server", "start", *where, *self._options]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the server itself."""
        return clean_environment(self.home) | self.variables

    @contextmanager
    def running(self) -> Iterator[PrefectServer]:
        """Start the server, wait until it answers, and stop it in the end."""
        copy_database(self.home)
        serving = _serving(self.command, self.environment, self.api_url, self.output)
        with serving as self._process:
            yield self

    def run(self, *words: str) -> str:
        """Run a ``prefect`` command against the server, and return what it prints."""
        done = subprocess.run(  # noqa: S603  # our own interpreter
            [*_PREFECT, *words],
            env=self.client_environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def is_healthy(self) -> bool:
        """Whether the API answers."""
        return _answers(self.api_url)

    def child_processes(self) -> set[str]:
        """The processes that the server has started; where there is no /proc, none are found."""
        assert self._process is not None
        tasks = Path(f"/proc/{self._process.pid}/task")
        return {pid for file in tasks.glob("*/children") for pid in file.read_text().split()}


@contextmanager
def running_api(home: Path, listening: socket.socket) -> Iterator[None]:
    """Run only the API, as Prefect's temporary server is: no interface, no schedules.

    Args:
        home: an empty folder for the database.
        listening: a bound socket, so that nobody else gets its port meanwhile.
    """
    copy_database(home)
    with _api(home, listening):
        yield


@contextmanager
def _api(home: Path, listening: socket.socket) -> Iterator[None]:
    descriptor = listening.fileno()
    environment = clean_environment(home) | {
        "PREFECT_UI_ENABLED": "false",
        "PREFECT__SERVER_EPHEMERAL": "1",
        "PREFECT__SERVER_FINAL": "1",
    }
    command = [sys.executable, "-m", *_API, "--fd", str(descriptor)]
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/api"
    with _serving(command, environment, url, home / "server.log", pass_fds=[descriptor]):
        yield


def clean_environment(home: Path) -> dict[str, str]:
    """This process's variables, without what they say about another Prefect."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PREFECT_")}
    return kept | {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home / "interfaces"),
    }


def copy_database(home: Path) -> None:
    """Give a server its tables: a copy takes no time, and Prefect's migrations up to 30 s."""
    _CACHE.mkdir(exist_ok=True)
    python = ".".join(str(number) for number in sys.version_info[:2])
    # A server keeps the name of a block type for good: one that is renamed needs a new database.
    named = f"{zlib.crc32(str(SendAnEmail.get_block_type_name()).encode()):x}"
    template = _CACHE / f"prefect-{version('prefect')}-python-{python}-{named}.db"
    with FileLock(f"{template}.lock"):
        if not template.exists():
            _create_database(template)
    shutil.copy(template, home / _DATABASE)


def _create_database(template: Path) -> None:
    home = template.with_suffix(".home")
    home.mkdir(exist_ok=True)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        with _api(home, listening):
            pass
    unfinished = template.with_suffix(".new")
    with (
        closing(sqlite3.connect(home / _DATABASE)) as source,
        closing(sqlite3.connect(unfinished)) as target,
    ):
        source.backup(target)
    shutil.rmtree(home)
    unfinished.replace(template)


@contextmanager
def _serving(
    command: Sequence[str],
    environment: dict[str, str],
    api_url: str,
    output: Path,
    pass_fds: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    with output.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter, fixed arguments
            command, env=environment, stdout=log, stderr=subprocess.STDOUT, pass_fds=pass_fds
        )
    try:
        give_up_at = time.monotonic() + _STARTUP_SECONDS
        while not _answers(api_url):
            running = process.poll() is None and time.monotonic() < give_up_at
            assert running, f"the server did not start: {output.read_text()[-3000:]}"
            time.sleep(_POLL_SECONDS)
        yield process
    finally:
        _stop(process)


def _answers(api_url: str) -> bool:
    try:
        return httpx.get(f"{api_url}/health", timeout=20).is_success
    except httpx.TransportError:
        return False


def free_port() -> int:
    """A port that nobody listens on now."""
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
