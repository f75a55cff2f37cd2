"""How values are written: in environment variables all are texts, in TOML they have types."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from prefect_smtp_relay.exceptions import InvalidField

_DURATION = re.compile(r"(?P<number>\d{1,6})(?P<unit>[smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def split_commas(value: Any) -> Any:
    """Environment variables are ``a, b``; TOML has a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def read_duration(value: str) -> timedelta:
    """Read how long, for example ``15m``.

    Args:
        value: a whole number with s, m, h or d; empty or 0 for no time.

    Raises:
        InvalidField: it is something else.
    """
    if value in {"", "0"}:
        return timedelta(0)
    if not (isinstance(value, str) and (found := _DURATION.fullmatch(value.strip()))):
        raise InvalidField(f"{value!r} is not a duration", "Write 90s, 15m, 2h or 1d; 0 for none.")
    return timedelta(seconds=int(found["number"]) * _SECONDS[found["unit"]])


def read_json(value: Any) -> Any:
    """Environment variables are JSON; TOML may have a table."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise InvalidField("is not JSON", 'Write an object, such as {"key": "..."}.') from None


def refuse_url(value: Any) -> Any:
    """A directory of this host is meant."""
    if "://" in str(value):
        raise InvalidField("is a URL", "Name a directory of this host.")
    return value
