"""The fixtures that users get are the fixtures that the tests use."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["prefect_smtp_relay.testing.fixtures"]

# The same examples in every run; with --hypothesis-profile=search, many that were never seen.
settings.register_profile("tests", deadline=None, derandomize=True, max_examples=100)
settings.register_profile(
    "search", deadline=None, max_examples=20_000, suppress_health_check=list(HealthCheck)
)
settings.load_profile("tests")

_STARTUP_SECONDS = 180
_exit_status = 0


def pytest_sessionfinish(exitstatus: int) -> None:
    """Note how the run ended."""
    global _exit_status
    _exit_status = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """End at once: at exit, Prefect waits for servers that have ended with their tests."""
    if "prefect" not in sys.modules:
        return
    from prefect.server.api.server import SubprocessASGIServer

    for server in list(SubprocessASGIServer._instances.values()):
        server.stop()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(_exit_status)


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """Run a Prefect server on SQLite in a temporary folder."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=_STARTUP_SECONDS):
        yield


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
