"""Addresses of lists of runs in Prefect's UI."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

from prefect.settings import PREFECT_UI_URL


def runs_url(
    states: Iterable[str], start: datetime, end: datetime, flow_ids: Iterable[UUID] = ()
) -> str:
    """Give the address of the list of flow runs that are in some states.

    Args:
        states: the states' names, such as ``Failed`` and ``TimedOut``.
        start, end: when the runs were to start, with a time zone; the first interface of Prefect
            shows all times.
        flow_ids: of which flows; empty for all.

    Returns:
        The address, or nothing where that of the UI is not known.
    """
    if not (ui := PREFECT_UI_URL.value()):
        return ""
    query = [("state", state) for state in sorted(set(states))]
    query += [("start", _in_utc(start)), ("end", _in_utc(end))]
    if ids := ",".join(map(str, flow_ids)):
        query.append(("flows", ids))
    return f"{ui}/runs?{urlencode(query)}"


def _in_utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
