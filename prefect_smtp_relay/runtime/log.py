"""Where log lines go: to the run's log within a run, else to Prefect's logger."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from prefect.exceptions import MissingContextError
from prefect.logging import get_logger, get_run_logger
from prefect.settings import PREFECT_LOGGING_LEVEL

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.base import logger as transport_logger

if TYPE_CHECKING:
    from prefect import Task
    from prefect.client.schemas.objects import TaskRun

    RunLogger = logging.Logger | logging.LoggerAdapter[logging.Logger]


_chosen: ContextVar[RunLogger | None] = ContextVar("run_logger", default=None)


@contextlib.contextmanager
def logging_to(logger: RunLogger) -> Iterator[None]:
    """Log to a run whose context is not, or not any more, the current one, as in hooks."""
    token = _chosen.set(logger)
    try:
        yield
    finally:
        _chosen.reset(token)


def run_logger() -> RunLogger:
    """The logger of the current task or flow run, or Prefect's own outside of runs."""
    return _current_run_logger() or get_logger("smtp_relay")


class _Told:
    """The warnings that this process has logged."""

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._lock = threading.Lock()

    def is_first(self, text: str) -> bool:
        with self._lock:
            is_first = text not in self._texts
            self._texts.add(text)
        return is_first


def warn_once(text: str) -> None:
    """Log a warning that is said once a process, as something stays as it is."""
    if process_memory.of(_Told).is_first(text):
        run_logger().warning("%s", text)


def log_retry(task: Task[..., Any], task_run: TaskRun, error: EmailError) -> None:
    """Say in one line which relay failed, why, when the next try is, and how many are left.

    Args:
        task: its retry policy.
        task_run: of the try that failed.
        error: is tried again.
    """
    delays = task.retry_delay_seconds or 0
    in_turn = delays if isinstance(delays, list) else [delays]
    delay = in_turn[min(task_run.run_count, len(in_turn)) - 1]
    left = task.retries - task_run.run_count
    if error.max_retries is not None:
        left = min(left, error.max_retries - task_run.run_count)
    run_logger().warning(
        "%s The next try is in about %.0f seconds; %d more may follow.",
        f"{str(error).rstrip('.')}.",
        max(delay, error.retry_after or 0),
        left,
    )


def _current_run_logger() -> RunLogger | None:
    if chosen := _chosen.get():
        return chosen
    try:
        return get_run_logger()
    except MissingContextError:
        return None


def _forward(record: logging.LogRecord) -> bool:
    """Within a run, hand the transports' records to its log, so that they show in Prefect's UI."""
    logger = _current_run_logger()
    if logger is None:
        return True
    logger.log(record.levelno, record.msg, *record.args if record.args else ())
    return False


def forward_transport_log() -> None:
    """Send what the pure parts log to where Prefect's users read; once is enough.

    Their debug log, which names the negotiated TLS, needs ``PREFECT_LOGGING_LEVEL=DEBUG``.
    """
    if _forward not in transport_logger.filters:
        transport_logger.addFilter(_forward)
        wants_details = PREFECT_LOGGING_LEVEL.value() == "DEBUG"
        transport_logger.setLevel(logging.DEBUG if wants_details else logging.INFO)
