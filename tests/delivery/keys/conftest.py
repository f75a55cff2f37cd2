"""A spool of each test's own, and a relay that is connected."""

from __future__ import annotations

from pathlib import Path

import pytest

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.tasks.bulk_mails import connect


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the spool, which is not there yet."""
    path = tmp_path / "spool"
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL", str(path))
    return path


@pytest.fixture(autouse=True)
def relay(mail_server: MailServer) -> SMTP:
    """The connected relay."""
    return connect(mail_server)
