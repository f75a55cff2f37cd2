"""``idempotency_key="run"``: each mail once in its flow run, however often Prefect runs that."""

from __future__ import annotations

from typing import Any

import pytest
from prefect import flow, task
from prefect.client.orchestration import SyncPrefectClient
from prefect.states import Scheduled

from prefect_smtp_relay import Receipt, send_an_email, send_emails
from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.delivery.keys.keyed_flows import LATER, MAIL

NAMED: dict[str, Any] = {**MAIL, "idempotency_key": "run"}


def test_a_flow_retry_sends_nothing_again(mail_server: MailServer) -> None:
    """Single, submitted, mapped, in a loop and in batches, each mail goes once."""
    runs: list[list[str]] = []

    @flow(retries=1, retry_delay_seconds=0)
    def tell() -> None:
        receipts = [send_an_email(**NAMED) for _ in range(2)]
        receipts.append(send_an_email.submit(**NAMED | {"subject": "t"}).result())
        people = [f"user{n}@example.org" for n in range(3)]
        receipts += send_an_email.map(people, "s", "b", idempotency_key="run").result()
        receipts += send_emails([NAMED, NAMED, NAMED | {"body": "c"}])
        receipts.append(send_an_email.fn(**NAMED))
        runs.append([receipt.message_id for receipt in receipts])
        if len(runs) == 1:
            raise RuntimeError("the step after the mails")

    tell()
    first, second = runs
    assert len(set(first)) == len(first) == mail_server.offered
    assert sorted(first) == sorted(second)


def test_a_flow_run_that_is_run_again_by_another_process_sends_nothing_again(
    mail_server: MailServer, client: SyncPrefectClient
) -> None:
    """What the process remembers does not count: the flow run, the mails and their order do."""
    mails = iter([[NAMED, NAMED], [NAMED, NAMED]])

    @flow
    def tell() -> list[Receipt]:
        receipts = [send_an_email(**mail) for mail in next(mails)]
        return [*receipts, *send_emails([NAMED])]

    run = client.create_flow_run(tell)
    from prefect.flow_engine import run_flow

    first = run_flow(tell, flow_run=run)
    process_memory.reset()
    client.set_flow_run_state(run.id, Scheduled(), force=True)
    second = run_flow(tell, flow_run=client.read_flow_run(run.id))
    assert first == second
    assert mail_server.offered == 3


def test_mails_that_differ_in_a_value_may_come_in_another_order(mail_server: MailServer) -> None:
    """What a template is filled with is a part of what the mail says."""
    orders = iter(([1, 2], [2, 1]))
    runs: list[dict[int, str]] = []

    @flow(retries=1, retry_delay_seconds=0)
    def tell() -> None:
        mail = NAMED | {"body": "{{ rows }} rows"}
        runs.append(
            {n: send_an_email(**mail, context={"rows": n}).message_id for n in next(orders)}
        )
        if len(runs) == 1:
            raise RuntimeError("the step after the mails")

    tell()
    assert runs[0] == runs[1]
    assert mail_server.offered == 2


def test_two_flow_runs_send_two_mails(mail_server: MailServer) -> None:
    """Another run of the flow is another one."""

    @flow
    def tell() -> Receipt:
        receipt: Receipt = send_an_email(**NAMED)
        return receipt

    assert tell() != tell()
    assert mail_server.offered == 2


def test_a_task_that_is_tried_again_sends_nothing_again(mail_server: MailServer) -> None:
    """The retries of the task that sends, and of the one that calls it, are the same call."""
    replies = iter([LATER])
    mail_server.data_reply = lambda _: next(replies, None)
    tries: list[str] = []

    @task(retries=1, retry_delay_seconds=0)
    def step() -> None:
        soon = send_an_email.with_options(retries=1, retry_delay_seconds=0)
        tries.append(soon(**NAMED).message_id)
        tries.append(send_an_email.fn(**NAMED | {"body": "c"}).message_id)
        if len(tries) == 2:
            raise RuntimeError("the step after the mails")

    @flow
    def tell() -> None:
        step()

    tell()
    assert tries[:2] == tries[2:]
    assert mail_server.offered == 3  # one of them twice: it was tried again


def test_outside_of_a_flow_run_it_is_an_error(mail_server: MailServer) -> None:
    """Nothing is submitted, and the text says what to write instead."""
    with pytest.raises(MessageError, match="idempotency_key: 'run' names a mail by its flow run"):
        send_an_email.fn(**NAMED)
    assert mail_server.offered == 0
