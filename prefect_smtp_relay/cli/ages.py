"""Ages, as people write and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from prefect_smtp_relay.cli.answer import UsageError

_AGE = re.compile(
    r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w|seconds?|minutes?|min|hours?|days?|weeks?)", re.ASCII
)
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
"""By the first letter of their names."""

_WORDS = (
    ("day", timedelta(days=1), timedelta(days=2)),
    ("hour", timedelta(hours=1), timedelta(hours=1)),
    ("minute", timedelta(minutes=1), timedelta(minutes=1)),
    ("second", timedelta(seconds=1), timedelta(seconds=1)),
)
"""Units, their length, and from when on they are used: 47 hours say more than 1 day."""

_NOW = timedelta(seconds=10)


def parse_age(text: str, option: str) -> timedelta:
    """Read an age such as ``30m``, ``2h`` or ``3d``.

    Raises:
        UsageError: it is not one.
    """
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise UsageError(f"{option}: {text!r} is not an age. Write 30m, 2h or 3d.")
    try:
        return float(found[1]) * _UNITS[found[2][0]]
    except OverflowError:
        raise UsageError(f"{option}: {text!r} is longer than there are mails.") from None


def age(moment: datetime) -> timedelta:
    """How long ago a moment was."""
    return datetime.now(UTC) - moment


def in_words(duration: timedelta) -> str:
    """Say a duration of a second or more in the unit that says most: ``3 hours``."""
    word, unit = next((word, unit) for word, unit, least in _WORDS if duration >= least)
    count = int(duration / unit)
    return f"{count} {word}{'s' * (count != 1)}"


def ago(moment: datetime) -> str:
    """Say how long ago a moment was: ``3 hours ago``; hosts' clocks may differ a little."""
    since = age(moment)
    return "just now" if since < _NOW else f"{in_words(since)} ago"
