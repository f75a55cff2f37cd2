"""Hooks mail what became of task runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from prefect import flow, get_run_logger, task
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run as current_flow_run

from prefect_smtp_relay import email_on_completion, email_on_failure
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.mails import only_mail, text_of

Fail = Callable[..., State[Any]]

CANARY = "canary-5d1e77"


def test_a_failed_task_is_told(connected: MailServer) -> None:
    """The mail of a task names its flow run, and shows its arguments and its own log only."""

    @task(name="Load", on_failure=[email_on_failure("ann@example.org")])
    def load(page: int, token: str) -> None:
        get_run_logger().info("in the task")
        raise ValueError(f"page {page}, {token}")

    @flow(name="Around")
    def around() -> str:
        get_run_logger().info("in the flow")
        load(7, token=CANARY, return_state=True)
        return str(current_flow_run.name)

    name = around()
    mail = only_mail(connected)
    text = text_of(mail)
    assert mail.message["Subject"] == "Failed: task Load"
    assert f"Around / {name}" in text
    assert "page = 7" in text
    assert "in the task" in text
    assert "in the flow" not in text
    assert "/runs/task-run/" in text
    assert CANARY not in mail.octets.decode()


def test_a_failed_async_task_is_told(connected: MailServer) -> None:
    """Async tasks mail in the same way."""

    @task(on_failure=[email_on_failure("ann@example.org")])
    async def load(page: int) -> None:
        raise ValueError(f"page {page}")

    @flow
    async def around() -> None:
        with contextlib.suppress(ValueError):
            await load(7)

    asyncio.run(around())
    assert "page 7" in text_of(only_mail(connected))


@pytest.mark.filterwarnings("ignore:Logger 'prefect.task_runs' attempted")  # Prefect's own, there
def test_a_task_outside_of_flows_is_told(connected: MailServer) -> None:
    """A task run of its own has no flow run to name."""

    @task(on_failure=[email_on_failure("ann@example.org")])
    def load() -> None:
        raise ValueError("alone")

    load(return_state=True)
    text = text_of(only_mail(connected))
    assert "alone" in text
    assert "In flow run" not in text


def test_completion_is_told_for_flows_and_tasks(connected: MailServer) -> None:
    """``on_completion`` mails that all went well."""
    hook = email_on_completion("ann@example.org")

    @task(name="Step", on_completion=[hook])
    def step() -> int:
        return 1

    @flow(name="Whole", on_completion=[hook])
    def whole() -> int:
        return step()

    assert whole() == 1
    subjects = [mail.message["Subject"] for mail in connected.mails]
    assert subjects == ["Completed: task Step", "Completed: flow Whole"]
