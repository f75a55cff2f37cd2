"""Ages, as people write them with --older-than, and as a listing says them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from prefect_smtp_relay.cli.ages import ago, parse_age
from prefect_smtp_relay.cli.answer import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", timedelta(seconds=30)),
        ("30m", timedelta(minutes=30)),
        ("30 min", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("1.5h", timedelta(minutes=90)),
        ("3D", timedelta(days=3)),
        ("2 weeks", timedelta(weeks=2)),
        ("1 hour", timedelta(hours=1)),
    ],
)
def test_an_age_is_read(text: str, expected: timedelta) -> None:
    """A number and a unit, short or in words."""
    assert parse_age(text, "--older-than") == expected


@pytest.mark.parametrize("text", ["", "2", "h", "-2h", "2y", "2h30m", "two hours", "9" * 400 + "d"])
def test_what_is_not_an_age_is_refused(text: str) -> None:
    """The error names the option and what to write."""
    with pytest.raises(UsageError, match="--older-than: "):
        parse_age(text, "--older-than")


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (timedelta(seconds=-90), "just now"),
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=42.5), "42 seconds ago"),
        (timedelta(seconds=100), "1 minute ago"),
        (timedelta(minutes=59.5), "59 minutes ago"),
        (timedelta(hours=1.5), "1 hour ago"),
        (timedelta(hours=47.5), "47 hours ago"),
        (timedelta(hours=49), "2 days ago"),
        (timedelta(days=400.5), "400 days ago"),
    ],
)
def test_a_moment_is_so_long_ago(since: timedelta, expected: str) -> None:
    """In the unit that says most; another host's clock may be ahead."""
    assert ago(datetime.now(UTC) - since) == expected
