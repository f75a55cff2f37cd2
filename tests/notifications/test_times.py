"""Moments as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from prefect_smtp_relay import format_time
from prefect_smtp_relay.notifications.times import local_time

NIGHT = datetime(2026, 3, 14, 23, 30)


@pytest.mark.parametrize(
    ("zone", "now", "said"),
    [
        ("UTC", datetime(2026, 3, 14, 1, tzinfo=UTC), "23:30 UTC"),
        ("UTC", datetime(2026, 3, 15, 1, tzinfo=UTC), "Sat 14 Mar, 23:30 UTC"),
        ("UTC", datetime(2027, 3, 14, 23, tzinfo=UTC), "Sat 14 Mar 2026, 23:30 UTC"),
        ("Europe/Berlin", datetime(2026, 3, 15, 1, tzinfo=UTC), "00:30 CET"),
        ("America/Sao_Paulo", datetime(2026, 3, 15, 1, tzinfo=UTC), "20:30 UTC-03"),
    ],
)
def test_the_day_is_said_where_it_is_not_today(
    monkeypatch: pytest.MonkeyPatch, zone: str, now: datetime, said: str
) -> None:
    """Hour, minute and zone are always there; day and year are told from now, in that zone."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_TIME_ZONE", zone)
    assert format_time(NIGHT, now) == said
    assert local_time(NIGHT) == NIGHT.replace(tzinfo=UTC)
