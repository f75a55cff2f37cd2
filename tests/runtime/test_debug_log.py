"""What was negotiated stands in the run's debug log, and nowhere where nobody asked for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from prefect import flow
from prefect.settings import PREFECT_LOGGING_LEVEL, temporary_settings

from prefect_smtp_relay import SMTP, send_an_email
from prefect_smtp_relay.runtime.log import forward_transport_log
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.base import logger


@pytest.fixture
def starttls_server(certificates: Certificates) -> Iterator[MailServer]:
    """A server that no other test has spoken to."""
    with MailServer(security="starttls", tls_context=certificates.server_context) as server:
        yield server


@pytest.fixture
def not_forwarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The pure parts' logger as it is before the tasks are imported."""
    level = logger.level
    monkeypatch.setattr(logger, "filters", [])
    yield
    logger.setLevel(level)


@pytest.mark.usefixtures("not_forwarded")
@pytest.mark.parametrize(("level", "is_told"), [("DEBUG", True), ("INFO", False)])
def test_the_negotiated_tls_is_in_the_debug_log(
    starttls_server: MailServer,
    caplog: pytest.LogCaptureFixture,
    level: str,
    is_told: bool,
) -> None:
    """With PREFECT_LOGGING_LEVEL=DEBUG the run's log names version, cipher and verification."""
    caplog.set_level(logging.DEBUG, "prefect.task_runs")
    relay = SMTP(address="localhost", port=starttls_server.port, from_address="ops@example.org")

    @flow
    def notify() -> None:
        send_an_email("ann@example.org", "s", "b", relay=relay)

    with temporary_settings({PREFECT_LOGGING_LEVEL: level}):
        forward_transport_log()
    notify()
    assert ("certificate not checked" in caplog.text) is is_told
