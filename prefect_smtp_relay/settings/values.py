"""How values are written: in environment variables all are texts, in TOML they have types."""

from __future__ import annotations

import json
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from prefect_smtp_relay.exceptions import InvalidField, nearest

SECRET_FILES = ("/run/secrets/smtp-relay/*", "/run/secrets/smtp_*", "/run/secrets/sendgrid_*")
"""Nothing else of /run/secrets: Kubernetes mounts the tokens of service accounts there."""

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


def check_time_zone(value: str) -> str:
    """Return the name of a time zone.

    Raises:
        InvalidField: there is none of this name.
    """
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError):
        near = nearest(value, available_timezones())
        hint = f"Did you mean {near!r}?" if near else "Write one such as 'Europe/Berlin'."
        raise InvalidField(f"{value!r} is not a time zone", hint) from None
    return value


def check_patterns(values: list[str]) -> list[str]:
    """Return patterns of files: an absolute directory, then a name with or without a ``*``.

    Raises:
        InvalidField: one of them is something else.
    """
    for value in values:
        folder, name = os.path.split(value)
        if not Path(folder).is_absolute() or set("*?[") & set(folder) or not name:
            raise InvalidField(
                f"{value!r} is not a directory with the name of a file after it",
                "Write it like /etc/mail/* or /etc/mail/password.",
            )
    return values


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
