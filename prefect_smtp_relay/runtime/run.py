"""The task run around an action: its identity over the tries, and a thread for its async twin."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import anyio.to_thread
from prefect.context import TaskRunContext

from prefect_smtp_relay.delivery.routing import Origin

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Try:
    """One try of an action.

    Args:
        origin: what stays the same on every try.
        is_last: whether Prefect will not retry what fails now.
    """

    origin: Origin
    is_last: bool

    @classmethod
    def of(cls, *actions: Callable[..., Any]) -> Try:
        """Read the current try of one of these actions.

        Called by ``.fn`` in another task, an action has one try and no identity: that task's
        context is not its own.
        """
        context = TaskRunContext.get()
        if context is None or context.task.fn not in actions:
            return cls(Origin(), is_last=True)
        run = context.task_run
        return cls(Origin(str(run.id), run.start_time), run.run_count > context.task.retries)


def in_worker_thread(function: Callable[P, R], name: str) -> Callable[P, Coroutine[Any, Any, R]]:
    """Make the async twin of a sync function, with its signature, off the event loop."""

    @functools.wraps(function)
    async def twin(*args: P.args, **kwargs: P.kwargs) -> R:
        return await anyio.to_thread.run_sync(functools.partial(function, *args, **kwargs))

    twin.__name__ = twin.__qualname__ = name
    return twin
