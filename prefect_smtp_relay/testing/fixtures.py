"""Pytest fixtures; ``pytest_plugins = ["prefect_smtp_relay.testing.fixtures"]`` loads them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prefect_smtp_relay.testing.certificates import Certificates, issue_certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.testing.memory import InMemoryTransport

USERNAME = "flows@example.org"
"""Whom `mail_server` knows."""

PASSWORD = "only-for-tests"  # noqa: S105  # a throw-away server's password is no secret
"""The password that `mail_server` takes."""


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    """A certificate authority, and a server certificate for localhost."""
    return issue_certificates()


@pytest.fixture
def mail_server(certificates: Certificates) -> Iterator[MailServer]:
    """A running mail server that offers STARTTLS, and AUTH under TLS to `USERNAME`."""
    with MailServer(
        security="starttls",
        tls_context=certificates.server_context,
        users={USERNAME: PASSWORD},
    ) as server:
        yield server


@pytest.fixture
def in_memory_transport() -> InMemoryTransport:
    """A transport that accepts every message and keeps it."""
    return InMemoryTransport()
