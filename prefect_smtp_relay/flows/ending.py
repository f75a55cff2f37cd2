"""How a flow ends that somebody watches in Prefect's UI: its state says what to change."""

from __future__ import annotations

from prefect import State
from prefect.states import Failed

from prefect_smtp_relay.runtime.log import run_logger


def failed(problem: object) -> State[None]:
    """Fail without a traceback.

    Args:
        problem: an `EmailError`, or its text.
    """
    run_logger().error("%s", problem)
    return Failed(message=str(problem))
