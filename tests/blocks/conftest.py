"""Where a block finds secrets that are not in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory whose files may be read."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_SECRET_FILES", f"{folder}/*")
    return folder


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without what the developer has set."""
    for name in [name for name in os.environ if name.startswith(("SMTP_", "SENDGRID_"))]:
        monkeypatch.delenv(name)
    return monkeypatch
