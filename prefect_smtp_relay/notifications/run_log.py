"""The last log lines of a run, and the traceback among them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from prefect.client.schemas.filters import (
    LogFilter,
    LogFilterTimestamp,
    TaskRunFilter,
    TaskRunFilterId,
)
from prefect.client.schemas.objects import Log, TaskRun
from prefect.client.schemas.sorting import LogSort
from prefect.logging.handlers import APILogWorker

from prefect_smtp_relay.notifications.asking import ask
from prefect_smtp_relay.notifications.parameters import Masker, shorten
from prefect_smtp_relay.notifications.times import local_time
from prefect_smtp_relay.notifications.tracebacks import HEAD

MAX_LOG_LINES = 200

_TRACEBACK_WITHIN = 20
"""Entries, the newest, in which the traceback is looked for; not all of them may be shown."""
_MAX_ENTRY = 2000
_FLUSH_SECONDS = 5


@dataclass(frozen=True)
class RunLog:
    """What a run logged.

    Args:
        lines: one entry each, oldest first; of a traceback only what was logged with it.
        traceback: the last one, as Python prints it.
    """

    lines: tuple[str, ...] = ()
    traceback: str = ""


def read_log(entries: LogFilter, until: datetime, log_lines: int, masker: Masker) -> RunLog:
    """Read the newest log entries up to the final state: after it the hooks' own begin.

    Args:
        entries: those of the run.
        until: when it came to its end.
        log_lines: how many, the newest; 0 for none.
        masker: knows the run's secrets.
    """
    if log_lines <= 0:
        return RunLog()
    _flush_log()
    entries.timestamp = LogFilterTimestamp(before_=until)
    limit = max(min(log_lines, MAX_LOG_LINES), _TRACEBACK_WITHIN)
    found: list[Log] = ask(
        lambda client: client.read_logs(entries, limit=limit, sort=LogSort.TIMESTAMP_DESC), []
    )
    tasks = _name_tasks(found) if entries.task_run_id is None else {}
    texts = [masker.redact(entry.message) for entry in found]
    shown = list(zip(found, texts, strict=True))[:log_lines]
    return RunLog(
        tuple(_write(entry, text, tasks) for entry, text in reversed(shown)),
        next((text for text in texts if HEAD in text), ""),
    )


def _name_tasks(entries: Sequence[Log]) -> Mapping[UUID, str]:
    ids = [entry.task_run_id for entry in entries if entry.task_run_id]
    if not ids:
        return {}
    wanted = TaskRunFilter(id=TaskRunFilterId(any_=list(set(ids))))
    runs: list[TaskRun] = ask(lambda client: client.read_task_runs(task_run_filter=wanted), [])
    return {run.id: run.name for run in runs}


def _write(entry: Log, text: str, tasks: Mapping[UUID, str]) -> str:
    """For example ``02:06:58 WARNING load_page-a1d: Rate limited``."""
    task = tasks.get(entry.task_run_id) if entry.task_run_id else None
    said, traceback, _ = text.partition(HEAD)
    said = said.strip().removesuffix("+ Exception Group")
    note = " (traceback above)" if traceback else ""
    return (
        f"{local_time(entry.timestamp):%H:%M:%S} {logging.getLevelName(entry.level):<7}"
        f" {f'{task}: ' if task else ''}{shorten(said.strip(), _MAX_ENTRY)}{note}"
    )


def _flush_log() -> None:
    """Hand what was logged in this process to the API, which gets it every two seconds only."""
    worker = APILogWorker.instance()
    flush = threading.Thread(target=worker.drain, kwargs={"at_exit": True}, daemon=True)
    flush.start()
    flush.join(_FLUSH_SECONDS)
