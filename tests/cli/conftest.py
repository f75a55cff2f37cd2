from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Forget what the commands would read from the developer's own environment."""
    for name in [name for name in os.environ if name.startswith(("SMTP_", "SENDGRID_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL", str(tmp_path / "spool"))


@pytest.fixture(autouse=True)
def _no_api() -> Iterator[None]:
    """Point Prefect at a port where nobody listens: nothing here may need it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{port}/api"}):
        yield
