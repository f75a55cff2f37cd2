"""Mail that task workers send, of whom one is killed."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient

from prefect_smtp_relay import send_an_email
from prefect_smtp_relay.flows.queue_delayed_again import queue_delayed_again
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.fleet.processes import Program, wait_for
from tests.tasks.bulk_mails import connect, mails_to

_COUNT = 100
_AT_ONCE = 10
"""The tasks of one worker that run at the same time, as Prefect has it."""

_COMMAND = (
    *(sys.executable, "-m", "prefect", "task", "serve"),
    *("--module", "prefect_smtp_relay.tasks"),
)


def copies(server: MailServer) -> Counter[str]:
    """How often each recipient got a mail."""
    return Counter(mail.forward_paths[0] for mail in server.mails)


def unfinished(client: SyncPrefectClient) -> int:
    """How many task runs have not ended."""
    return sum(not (run.state and run.state.is_final()) for run in client.read_task_runs())


def test_a_killed_task_worker_loses_nothing_once_its_mail_is_queued_again(
    client: SyncPrefectClient, mail_server: MailServer, tmp_path: Path
) -> None:
    """What the worker had received waits for the flow; the rest goes to the next worker.

    A mail comes twice only if it was being submitted at that moment, or if it has no key; both
    copies have one Message-ID.
    """
    connect(mail_server)
    keyed = {f"user{number}@example.org" for number in range(0, _COUNT, 2)}
    for mail in mails_to(_COUNT):
        key = f"{tmp_path}/{mail['to']}" if mail["to"] in keyed else None
        send_an_email.delay(**mail, idempotency_key=key)
    with Program(_COMMAND, os.environ, tmp_path / "one.log") as worker:
        wait_for(lambda: len(mail_server.mails) > _COUNT // 5, "mails of the first worker")
        worker.kill()
    with Program(_COMMAND, os.environ, tmp_path / "two.log"):
        wait_for(lambda: unfinished(client) < _COUNT // 5, "mails of the second worker")
        queue_delayed_again(older_than_minutes=0.1)
        wait_for(lambda: len(copies(mail_server)) == _COUNT, "the mails of the killed worker")
    assert len({mail.message["Message-ID"] for mail in mail_server.mails}) == _COUNT
    twice = copies(mail_server) - Counter([*copies(mail_server)])
    assert len(keyed & {*twice}) <= _AT_ONCE
