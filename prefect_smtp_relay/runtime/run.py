"""The task run around a mail: which one it is, and how many tries it has left."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from prefect.context import FlowRunContext, TaskRunContext


@dataclass(frozen=True)
class Run:
    """One try of a task run; the tries of one run have the same `id`.

    Args:
        id: names the run; empty where there is only this one try.
        started_at: when its first try began; None for now.
        tries: which try this is, from 1.
        retries: how many more tries the first one had.
    """

    id: str = ""
    started_at: datetime | None = None
    tries: int = 1
    retries: int = 0

    @classmethod
    def of_task_in(cls, module: str) -> Run:
        """Read the current try of a task whose function a module defines.

        Called by ``.fn`` in another task, a function has one try and no identity: that task's
        context is not its own.
        """
        context = TaskRunContext.get()
        if context is None or context.task.fn.__module__ != module:
            return cls()
        run = context.task_run
        return cls(str(run.id), run.start_time, run.run_count, context.task.retries)

    def retries_left(self, most: int | None = None) -> int:
        """How many tries follow this one.

        Args:
            most: retries that are worth it, where that is known.
        """
        permitted = self.retries if most is None else min(self.retries, most)
        return max(0, permitted + 1 - self.tries)


def is_async_caller() -> bool:
    """Whether the caller can await: a loop runs here, and the run's own function is async."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    task_run, flow_run = TaskRunContext.get(), FlowRunContext.get()
    if task_run is not None:
        return task_run.task.isasync
    return flow_run is None or flow_run.flow is None or flow_run.flow.isasync
