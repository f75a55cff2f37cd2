"""How values are written: in environment variables all are texts, in TOML they have types."""

from __future__ import annotations

import json
from typing import Any

from prefect_smtp_relay.exceptions import InvalidField


def split_commas(value: Any) -> Any:
    """Environment variables are ``a, b``; TOML has a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


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
