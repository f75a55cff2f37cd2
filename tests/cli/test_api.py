"""Which Prefect API a command asks."""

from __future__ import annotations

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_smtp_relay.cli.api import announce_api, api_url


def test_a_temporary_server_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    """Before the half minute that it takes to start, on stderr; where there is an API, nothing."""
    announce_api()
    assert capsys.readouterr().err == ""
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        announce_api()
        assert "temporary server" in api_url()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Starting a temporary server on this host")


def test_an_api_is_named_without_its_password() -> None:
    """Status is read by others, and is kept in logs."""
    with temporary_settings({PREFECT_API_URL: "https://ann:canary-90@prefect.example.org/api"}):
        assert "canary-90" not in api_url()
        assert api_url().endswith("@prefect.example.org/api")
