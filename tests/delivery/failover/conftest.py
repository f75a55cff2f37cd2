"""Two relays, of which the first is down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.mail_server import MailServer


@pytest.fixture(autouse=True)
def _new_process() -> Iterator[None]:
    """Forget which relays failed in earlier tests."""
    process_memory.reset()
    yield
    process_memory.reset()


@pytest.fixture
def down() -> MailServer:
    """A mail server that is stopped, and that can be started again."""
    server = MailServer()
    with server:
        pass
    return server


@pytest.fixture
def two_relays(down: MailServer, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect a relay that is down and goes first, and one that works."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_FAILOVER", "true")
    assert current_settings().failover
    save("first", down, priority=5)
    save("second", mail_server)


def save(name: str, server: MailServer, **fields: Any) -> None:
    """Connect a mail server."""
    values: dict[str, Any] = {"ssl": False, "from_address": f"{name}@example.org", **fields}
    SMTP(address=server.host, port=server.port, **values).save(name, overwrite=True)
