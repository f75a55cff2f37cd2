"""Which Prefect API a command asks, said before it starts one of its own."""

from __future__ import annotations

from prefect.settings import get_current_settings

from prefect_smtp_relay.cli.answer import note
from prefect_smtp_relay.transports.masking import mask

_TEMPORARY = "a temporary server on this host, as PREFECT_API_URL is not set"


def api_url() -> str:
    """The address of the API, without credentials in it; words where there is none."""
    url = get_current_settings().api.url
    return mask(url) if url else _TEMPORARY


def announce_api() -> None:
    """Say that a temporary server is started; the first start makes a database."""
    if not get_current_settings().api.url:
        note(f"Starting {_TEMPORARY}: this can take half a minute.")
