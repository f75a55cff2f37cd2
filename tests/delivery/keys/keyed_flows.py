"""Flows that send under a key, and what they leave behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from prefect import flow

from prefect_smtp_relay import Receipt, send_an_email, send_emails
from prefect_smtp_relay.exceptions import EmailError
from tests.tasks.bulk_mails import mails_to

KEY = "INC-42/declared"
MAIL: dict[str, Any] = {"to": "ann@example.org", "subject": "s", "body": "b"}
NEVER = "554 5.6.0 no"
LATER = "451 4.3.0 later"


@flow
def tell(key: str = KEY, retries: int = 0, **changes: Any) -> Receipt:
    """Send one mail, with no pause between the tries."""
    action = send_an_email.with_options(retries=retries, retry_delay_seconds=0)
    receipt: Receipt = action(**MAIL | changes, idempotency_key=key)
    return receipt


@flow
def tell_all(mails: list[dict[str, Any]], retries: int = 0, connections: int = 1) -> list[Receipt]:
    """Send many mails, with no pause between the tries."""
    action = send_emails.with_options(retries=retries, retry_delay_seconds=0)
    return action(mails, connections=connections)


def keyed_mails(count: int) -> list[dict[str, Any]]:
    """So many mails, each with a key of its own."""
    return [mail | {"idempotency_key": f"k{n}"} for n, mail in enumerate(mails_to(count))]


def records(spool: Path) -> list[Path]:
    """The files that hold claims and receipts."""
    return [file for file in spool.glob("keys/*/*") if not file.name.startswith(".")]


def receipts(spool: Path) -> list[Path]:
    """Those that hold receipts."""
    return [file for file in records(spool) if b'"receipt"' in file.read_bytes()]


def end_leases(spool: Path) -> None:
    """Let the leases of processes that were killed come to their end."""
    for lease in spool.glob("leases/*"):
        os.utime(lease, (0, 0))


def logged(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    """What the task runs logged of their mail at this level."""
    records = [r for r in caplog.records if r.name == "prefect.task_runs" and r.levelno == level]
    return [r.getMessage() for r in records if "mail" in r.getMessage()]


def at_once(count: int, call: Callable[[], Any]) -> list[Any]:
    """Call from so many threads, all of which start together."""
    start = threading.Barrier(count)

    def wait_and_call() -> Any:
        start.wait(timeout=60)
        try:
            return call()
        except EmailError as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        running = [threads.submit(copy_context().run, wait_and_call) for _ in range(count)]
        return [job.result(timeout=120) for job in running]
