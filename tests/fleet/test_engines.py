"""The tasks on Prefect's task runners: threads, processes, Dask and Ray."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest
from prefect import flow
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner
from prefect_dask.task_runners import DaskTaskRunner
from prefect_ray.task_runners import RayTaskRunner

from prefect_smtp_relay import Receipt, in_batches, send_an_email, send_emails
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.tasks.bulk_mails import connect, mails_to

# Distributed and Ray warn of their own start, in the process of the flow.
pytestmark = pytest.mark.filterwarnings("ignore")

RUNNERS: dict[str, Callable[[], TaskRunner[Any]]] = {
    "threads": lambda: ThreadPoolTaskRunner(max_workers=4),
    "processes": lambda: ProcessPoolTaskRunner(max_workers=2),
    "dask": lambda: DaskTaskRunner(
        cluster_kwargs={"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    ),
    "ray": lambda: RayTaskRunner(init_kwargs={"num_cpus": 2, "include_dashboard": False}),
}


@pytest.mark.parametrize("name", RUNNERS)
def test_each_mail_goes_once_from_whichever_worker(name: str, mail_server: MailServer) -> None:
    """Single mails, batches by `.map`, and one key in several tasks at once."""
    connect(mail_server)

    @flow(task_runner=RUNNERS[name]())
    def spread() -> list[Receipt]:
        ones = [send_an_email.submit(f"one{n}@example.org", "s", "b") for n in range(4)]
        same = [
            send_an_email.submit("key@example.org", "s", "b", idempotency_key="INC-42")
            for _ in range(3)
        ]
        batches = send_emails.map(in_batches(mails_to(20), 5))
        return [*(each.result() for each in ones + same), *chain(*batches.result())]

    receipts = spread()
    expected = [f"one{n}@example.org" for n in range(4)]
    expected += [f"user{n}@example.org" for n in range(20)] + ["key@example.org"]
    assert sorted(mail.forward_paths[0] for mail in mail_server.mails) == sorted(expected)
    told = {receipt.message_id for receipt in receipts}
    assert told == {mail.message["Message-ID"] for mail in mail_server.mails}
