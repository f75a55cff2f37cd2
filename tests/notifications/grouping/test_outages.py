"""Where failures cannot be counted, each is mailed: nothing waits for what may never come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_smtp_relay.notifications.grouping import variables
from prefect_smtp_relay.notifications.grouping.counting import count_unless_first
from prefect_smtp_relay.notifications.grouping.kind import PREFIX, Kind, Occurrence
from prefect_smtp_relay.notifications.grouping.recipients import Recipients
from prefect_smtp_relay.testing.mail_server import MailServer


def test_without_a_deployment_each_is_mailed(
    connected: MailServer, fail: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody would send a summary, so nothing is counted, and a warning says what to do."""
    for _ in range(2):
        fail("gone")
    assert len(connected.mails) == 2
    assert list(variables.read_all(PREFIX)) == []
    assert "send-grouped has no deployment" in caplog.text


def test_an_outage_of_the_api_counts_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Where the API cannot be asked, the mail goes its way at once."""
    kind = Kind(
        subject=("flow", "f"),
        name="f",
        cause="c",
        cause_kind="c",
        recipients="secret/none",
        within_seconds=60,
    )
    run = Occurrence(id="a", name="r", at=datetime.now(UTC).isoformat())
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        first = count_unless_first(lambda: (kind, run), Recipients({}))
    assert first is not None
    assert first.kind is None
    assert "cannot be counted now" in caplog.text


def test_what_nobody_foresaw_counts_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A failure that cannot be described is mailed."""

    def describe() -> tuple[Kind, Occurrence]:
        raise KeyError("flow")

    first = count_unless_first(describe, Recipients({}))
    assert first is not None
    assert first.kind is None
    assert "cannot be counted now" in caplog.text
