"""Results and locks of each test apart, and a relay that is connected."""

from __future__ import annotations

from pathlib import Path

import pytest

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.tasks.bulk_mails import connect


@pytest.fixture(autouse=True)
def storage(result_storage: Path) -> Path:
    """The folder of the default result storage, which is not there yet."""
    return result_storage


@pytest.fixture(autouse=True)
def relay(mail_server: MailServer) -> SMTP:
    """The connected relay."""
    return connect(mail_server)
