"""The fixtures that users get are the fixtures that the tests use."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.waiting import Clock
from tests.by_folder import ByFolder
from tests.clock import FastClock

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

    from tests.object_storage import Bucket

pytest_plugins = ["prefect_smtp_relay.testing.fixtures"]

# The same examples in every run; with --hypothesis-profile=search, many that were never seen.
settings.register_profile("tests", deadline=None, derandomize=True, max_examples=100)
settings.register_profile(
    "search", deadline=None, max_examples=100_000, suppress_health_check=list(HealthCheck)
)
settings.load_profile("tests")

# What ignores SIGINT, as a shell's background jobs do, would hand that on to every command.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_home = tempfile.TemporaryDirectory(prefix="prefect-home-")
_api_socket = socket.socket()
_api_socket.bind(
    ("127.0.0.1", 0)
)  # and it does not listen: without `prefect_server`, nobody answers
_exit_status = 0


def _point_prefect_away_from_the_developer_s_own() -> None:
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    os.environ["PREFECT_HOME"] = _home.name
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{_api_socket.getsockname()[1]}/api"
    os.environ["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] = "false"


_point_prefect_away_from_the_developer_s_own()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Give the tests of a folder to one process with ``--dist loadscope``: they share a server."""
    return ByFolder(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_sessionfinish(exitstatus: int) -> None:
    """Note how the run ended."""
    global _exit_status
    _exit_status = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """End at once: at exit, Prefect waits for servers that have ended with their tests."""
    _home.cleanup()
    if "prefect" not in sys.modules:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(_exit_status)


@pytest.fixture
def fast_clock() -> Iterator[FastClock]:
    """Let waits between tries pass at once."""
    fast = FastClock()
    process_memory.put(Clock, fast)
    yield fast
    process_memory.put(Clock, Clock())


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run a Prefect server on SQLite; flow runs do not wait for a heartbeat's thread."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from tests.prefect_server import running_api

    home = tmp_path_factory.mktemp("prefect-server")
    with (
        running_api(home, _api_socket),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        yield home


@pytest.fixture(scope="session")
def bucket() -> Iterator[Bucket]:
    """Run S3 on this host, with a bucket."""
    from tests.object_storage import object_storage

    with object_storage() as bucket:
        yield bucket


class CliRun(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def run_cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., CliRun]]:
    """Run the command line with these words."""
    from prefect.settings import PREFECT_LOGGING_INTERNAL_LEVEL, temporary_settings

    from prefect_smtp_relay import cli

    monkeypatch.setenv("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL")

    def run(*words: str) -> CliRun:
        monkeypatch.setattr(sys, "argv", ["prefect-smtp-relay", *words])
        # As the variable does in a process that has not read its settings yet.
        with (
            temporary_settings({PREFECT_LOGGING_INTERNAL_LEVEL: "CRITICAL"}),
            pytest.raises(SystemExit) as ended,
        ):
            cli.main()
        shown = capsys.readouterr()
        return CliRun(int(ended.value.code or 0), shown.out, shown.err)

    yield run
    logging.disable(logging.NOTSET)  # a command disables it until its process ends
