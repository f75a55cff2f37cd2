"""The task run around a mail: which one it is, how many tries it has left, and where it is."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from datetime import datetime

from prefect.client.schemas.objects import TaskRunResult
from prefect.context import FlowRunContext, TaskRunContext

_TASKS = "prefect_smtp_relay.tasks"


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


@dataclass(frozen=True)
class Place:
    """Where in a flow run a mail is called for.

    Args:
        flow_run_id: the same when Prefect runs the flow run again.
        attempt: which time that is.
        caller: the task run that calls for the mail, over its retries; the mail's own one where
            the flow itself does.
    """

    flow_run_id: str
    attempt: int
    caller: str

    @classmethod
    def of_mail(cls, number: int) -> Place | None:
        """Find the place of the current call; None outside of a flow run.

        Args:
            number: the mail's place among those of the call.
        """
        flow, task = FlowRunContext.get(), TaskRunContext.get()
        if flow is None or flow.flow_run is None:
            return None
        if task is None:
            caller = str(uuid.uuid4())  # by .fn: each call is another one
        else:
            is_own = task.task.fn.__module__ == _TASKS
            inputs = task.task_run.task_inputs.get("__parents__", ()) if is_own else ()
            parents = (each.id for each in inputs if isinstance(each, TaskRunResult))
            caller = str(next(parents, task.task_run.id))
        return cls(str(flow.flow_run.id), flow.flow_run.run_count, f"{caller}:{number}")
