"""Questions to the Prefect API whose answers a mail can do without."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from prefect_smtp_relay.runtime import api
from prefect_smtp_relay.runtime.log import run_logger

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

T = TypeVar("T")


def ask(question: Callable[[SyncPrefectClient], T], default: T) -> T:
    """Ask the Prefect API; a mail that lacks a part is better than none.

    Args:
        question: gets a client.
        default: what is said where there is no answer.
    """
    try:
        return api.ask(question)
    except Exception as error:  # whatever the API answers, the report is written
        run_logger().warning("The report of the run lacks what the Prefect API knows: %s", error)
        return default
