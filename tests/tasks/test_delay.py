"""Mail that a task worker sends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from prefect.client.orchestration import SyncPrefectClient
from prefect.task_worker import TaskWorker

from prefect_smtp_relay import SMTP, asend_an_email, send_an_email
from prefect_smtp_relay.flows.queue_delayed_again import queue_delayed_again
from prefect_smtp_relay.testing.mail_server import MailServer

_TRIES = 300
_PAUSE_SECONDS = 0.1


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, for at most half a minute."""
    for _ in range(_TRIES):
        if condition():
            return
        await asyncio.sleep(_PAUSE_SECONDS)
    raise AssertionError("it never came true")


async def delay_both(server: MailServer) -> None:
    """Run a worker, and hand it one mail of each task."""
    worker = TaskWorker(send_an_email, asend_an_email)
    running = asyncio.create_task(worker.astart())
    await until(lambda: worker.started)
    await asyncio.to_thread(send_an_email.delay, "ann@example.org", "s", "b")
    await asyncio.to_thread(asend_an_email.delay, "bob@example.org", "s", "b")
    await until(lambda: len(server.mails) == 2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_a_task_worker_sends_what_was_delayed(mail_server: MailServer) -> None:
    """Both tasks can be delayed to a worker, which knows one from the other."""
    SMTP(
        address=mail_server.host, port=mail_server.port, ssl=False, from_address="ops@example.org"
    ).save("main", overwrite=True)
    asyncio.run(delay_both(mail_server))
    assert {mail.forward_paths for mail in mail_server.mails} == {
        ("ann@example.org",),
        ("bob@example.org",),
    }


def test_delayed_mail_that_nobody_finished_is_queued_again(client: SyncPrefectClient) -> None:
    """Once it is old enough, it is scheduled with the parameters that it had."""
    run_id = send_an_email.delay("ann@example.org", "s", "b").task_run_id
    queue_delayed_again.fn(older_than_minutes=60)
    [first] = client.read_task_run_states(run_id)
    assert queue_delayed_again.fn(older_than_minutes=0) >= 1
    _, second = client.read_task_run_states(run_id)
    assert second.is_scheduled()
    assert second.state_details.deferred
    assert second.state_details.task_parameters_id == first.state_details.task_parameters_id
