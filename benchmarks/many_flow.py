"""The flow of `benchmarks.many`; importing it loads Prefect, which reads its settings then."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from benchmarks.mails import SENDER
from benchmarks.proxy import BIND
from prefect_smtp_relay import SMTP, in_batches, send_emails


def connect(port: int) -> None:
    """Connect the sink."""
    relay = SMTP(
        address=BIND, port=port, ssl=False, enable_starttls_auto=False, from_address=SENDER
    )
    relay.save("sink", overwrite=True)


def spread(mails: list[dict[str, Any]], size: int, threads: int) -> int:
    """Send all, and return how many have a receipt."""
    runner: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=threads)

    @flow(task_runner=runner)  # type: ignore[arg-type]  # its futures are of a narrower type
    def tell_everybody() -> int:
        batches = send_emails.map(in_batches(mails, size))
        return sum(len(receipts) for receipts in batches.result())

    return tell_everybody()
