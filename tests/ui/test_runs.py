"""The button of the digest leads to the runs that it tells of."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import expect
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State
from prefect.states import Completed, Crashed, Failed

from prefect_smtp_relay import runs_url

from .interfaces import Interface

_ENDS: dict[str, Callable[..., State[Any]]] = {
    "failed": Failed,
    "crashed": Crashed,
    "late": lambda: Failed(name="TimedOut"),
    "fine": Completed,
}


def _run_all() -> None:
    for name in _ENDS:

        @flow(name="digested", flow_run_name=f"{name}-run")
        def ending(end: str) -> State[Any]:
            return _ENDS[end]()

        with contextlib.suppress(Exception):
            ending(name)


def test_the_list_of_failed_runs_is_filtered(
    ui: Interface,
    client: SyncPrefectClient,
    in_own_thread: Callable[[Callable[[], Any]], Any],
) -> None:
    """It shows those that failed, crashed or took too long, and no others."""
    in_own_thread(_run_all)
    now = datetime.now(UTC)
    [found] = [each for each in client.read_flows() if each.name == "digested"]
    states = ["Failed", "Crashed", "TimedOut"]
    url = runs_url(states, now - timedelta(minutes=10), now + timedelta(minutes=10), [found.id])
    ui.open_runs(url.partition("/runs")[2])
    for name in _ENDS:
        shown = ui.page.get_by_text(f"{name}-run", exact=True).first
        (expect(shown).to_be_hidden if name == "fine" else expect(shown).to_be_visible)()
