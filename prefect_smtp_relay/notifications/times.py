"""Moments as people write them, in the setting ``time_zone``."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from prefect_smtp_relay.settings import current_settings


def local_time(moment: datetime) -> datetime:
    """Bring a moment into the setting ``time_zone``; one without a zone is in UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(ZoneInfo(current_settings().time_zone))


def format_time(moment: datetime, now: datetime | None = None) -> str:
    """Say when something is: with the day where that is not today, with the year where not this.

    Args:
        moment: one without a zone is in UTC.
        now: what today is told from; the present where it is None.

    Example:
        >>> night, morning = datetime(2026, 3, 14, 3, 7), datetime(2026, 3, 14, 8)
        >>> format_time(night, morning)
        '03:07 UTC'
        >>> format_time(night, datetime(2026, 3, 16))
        'Sat 14 Mar, 03:07 UTC'
    """
    there, here = local_time(moment), local_time(now or datetime.now(UTC))
    year = f" {there.year}" if there.year != here.year else ""
    day = f"{there:%a} {there.day} {there:%b}{year}, " if there.date() != here.date() else ""
    return f"{day}{there:%H:%M} {zone_name(there)}"


def zone_name(moment: datetime) -> str:
    """Name a moment's time zone: ``CET``, or ``UTC-03`` where it has only a number."""
    name = moment.tzname() or ""
    return name if name.isalpha() else f"UTC{name}"
