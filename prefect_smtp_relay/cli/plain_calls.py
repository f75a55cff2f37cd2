"""Flows and tasks called as plain functions, so that a preview makes no run in a Prefect API.

For the time of a preview the public methods that start a run are replaced, in this process only:
Prefect has no switch for it, and a temporary server would take half a minute to start.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

from prefect import Flow, Task
from prefect.futures import PrefectFuture, PrefectFutureList, resolve_futures_to_results
from prefect.futures import PrefectTaskRunFuture as TaskRunFuture
from prefect.logging import disable_run_logger
from prefect.states import Completed
from prefect.task_runners import TaskRunner
from prefect.utilities.callables import call_with_parameters, get_call_parameters


@contextmanager
def plain_calls() -> Iterator[None]:
    """Call every flow and task below as its function: no run, no retries, no hooks."""
    replacements: list[tuple[type, str, Callable[..., Any]]] = [
        (Flow, "__call__", _call_flow),
        (Task, "__call__", _call_task),
        (Task, "submit", _submit),
        (Task, "map", _map),
        (Task, "apply_async", _apply_async),
    ]
    with ExitStack() as stack:
        stack.enter_context(disable_run_logger())
        for owner, name, replacement in replacements:
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, replacement)
        yield


def call_flow(flow: Flow[Any, Any], parameters: Mapping[str, Any]) -> Any:
    """Call a flow's function with validated parameters, and wait for it where it is async."""
    return _awaited(call_with_parameters(flow.fn, dict(parameters)))


def check_parameters(flow: Flow[Any, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Bind values to a flow's parameters, and convert them as a flow run does.

    Raises:
        PrefectException: one is missing, unknown or of another type.
    """
    return _validated(flow, get_call_parameters(flow.fn, (), dict(values)))


class _Done(TaskRunFuture[Any]):
    """The future of a call that has returned already."""

    def __init__(self, value: Any) -> None:
        super().__init__(uuid4())
        self._value = value
        self._final_state = Completed(data=value)

    def wait(self, timeout: float | None = None) -> None:
        """There is nothing to wait for."""
        del timeout

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Any:
        """What the call returned."""
        del timeout, raise_on_failure
        return self._value

    def add_done_callback(self, fn: Callable[[PrefectFuture[Any]], None]) -> None:
        """It is done: call it."""
        fn(self)


class _AtOnce(TaskRunner[_Done]):
    """A task runner that calls each task where it is submitted; the base class maps."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Prefect gives it no types

    def duplicate(self) -> _AtOnce:
        """Another one is the same."""
        return _AtOnce()

    def submit(
        self,
        task: Task[Any, Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
        dependencies: dict[str, Any] | None = None,
    ) -> _Done:
        """Call the task's function."""
        del wait_for, dependencies
        return _Done(_awaited(call_with_parameters(task.fn, _resolved(parameters))))


def _call_flow(flow: Flow[Any, Any], *args: Any, return_state: bool = False, **kwargs: Any) -> Any:
    kwargs.pop("wait_for", None)
    parameters = _validated(flow, _resolved(get_call_parameters(flow.fn, args, kwargs)))
    return _returned(call_with_parameters(flow.fn, parameters), return_state)


def _call_task(task: Task[Any, Any], *args: Any, return_state: bool = False, **kwargs: Any) -> Any:
    kwargs.pop("wait_for", None)
    parameters = _resolved(get_call_parameters(task.fn, args, kwargs))
    return _returned(call_with_parameters(task.fn, parameters), return_state)


def _submit(task: Task[Any, Any], *args: Any, return_state: bool = False, **kwargs: Any) -> Any:
    kwargs.pop("wait_for", None)
    future = _AtOnce().submit(task, get_call_parameters(task.fn, args, kwargs))
    return future.state if return_state else future


def _map(task: Task[Any, Any], *args: Any, return_state: bool = False, **kwargs: Any) -> Any:
    for name in ("wait_for", "deferred"):
        kwargs.pop(name, None)
    with _AtOnce() as runner:
        parameters = get_call_parameters(task.fn, args, kwargs, apply_defaults=False)
        futures: PrefectFutureList[_Done] = runner.map(task, parameters)
    return [future.state for future in futures] if return_state else futures


def _apply_async(
    task: Task[Any, Any], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None, **_: Any
) -> _Done:
    """Also what ``.delay`` calls: a worker elsewhere would submit the mail."""
    return _AtOnce().submit(task, get_call_parameters(task.fn, args or (), kwargs or {}))


def _validated(flow: Flow[Any, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    return flow.validate_parameters(parameters) if flow.should_validate_parameters else parameters


def _resolved(parameters: dict[str, Any]) -> dict[str, Any]:
    resolved: dict[str, Any] = resolve_futures_to_results(parameters)
    return resolved


def _returned(result: Any, return_state: bool) -> Any:
    if not return_state:
        return result
    return _state_of(result) if inspect.iscoroutine(result) else Completed(data=result)


async def _state_of(result: Any) -> Any:
    return Completed(data=await result)


def _awaited(result: Any) -> Any:
    """Run a coroutine to its end, in a thread of its own: a loop may run in this one."""
    if not inspect.iscoroutine(result):
        return result
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(contextvars.copy_context().run, asyncio.run, result).result()
