"""Durations as people say them."""

from __future__ import annotations

from datetime import timedelta


def format_duration(duration: timedelta) -> str:
    """Say how long something took, in the one or two units that say most.

    Args:
        duration: a negative one counts as none.

    Example:
        >>> format_duration(timedelta(hours=1, minutes=23, seconds=4))
        '1 h 23 min'
    """
    seconds = max(duration.total_seconds(), 0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    first = next(place for place, (value, _) in enumerate(parts) if value)
    return " ".join(f"{value} {unit}" for value, unit in parts[first : first + 2] if value)
