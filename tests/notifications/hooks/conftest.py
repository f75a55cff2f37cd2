"""A connected relay, a flow that fails, and what runs log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.notifications.hooks import RunHook
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.clock import FastClock


class _Collecting(logging.Handler):
    """Keeps what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.records.append(record)


@pytest.fixture(autouse=True)
def no_pauses(fast_clock: FastClock) -> None:
    """Try again at once."""
    del fast_clock


@pytest.fixture
def connected(mail_server: MailServer) -> MailServer:
    """Connect the mail server as the preferred relay."""
    SMTP(
        address=mail_server.host,
        port=mail_server.port,
        ssl=False,
        from_address="ops@example.org",
    ).save("main")
    return mail_server


@pytest.fixture
def logged() -> Iterator[list[logging.LogRecord]]:
    """Collect what the runs log."""
    handler = _Collecting()
    loggers = [logging.getLogger(f"prefect.{kind}_runs") for kind in ("flow", "task")]
    for logger in loggers:
        logger.addHandler(handler)
    yield handler.records
    for logger in loggers:
        logger.removeHandler(handler)


@pytest.fixture
def fail_with() -> Callable[..., State[Any]]:
    """Run a flow that fails."""

    def run(message: str, hook: RunHook, **parameters: Any) -> State[Any]:
        @flow(name="Nightly import", on_failure=[hook])
        def nightly(**given: Any) -> int:
            get_run_logger().info("Reading page %s", given.get("page"))
            raise ValueError(message)

        state: Any = nightly(**parameters, return_state=True)
        assert isinstance(state, State)
        return state

    return run
