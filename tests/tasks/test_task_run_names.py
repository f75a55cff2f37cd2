"""Task runs are named by their mails, in every way that a task runs."""

from __future__ import annotations

import asyncio

from prefect import flow
from prefect.context import TaskRunContext

from prefect_smtp_relay import Receipt, asend_an_email, send_an_email, send_emails
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.testing.memory import InMemoryTransport

ANN = "Ann <ann@acme.example>"


class NotingNames(InMemoryTransport):
    """Notes the name of the task run around each mail."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Take a mail."""
        context = TaskRunContext.get()
        assert context is not None
        self.names.append(context.task_run.name)
        return super().deliver(message, envelope)


def test_task_runs_are_named_by_their_mails() -> None:
    """Called and mapped, one mail and many: the name says what goes to which domain."""
    relay = NotingNames()

    @flow
    def notify() -> None:
        send_an_email(ANN, "Called", "b", relay=relay, from_="ops@example.org")
        send_an_email.map([ANN], "Mapped", "b", relay=relay, from_="ops@example.org").result()
        send_emails(
            [{"to": ANN, "subject": "Batch", "body": "b", "from_": "ops@example.org"}], relay=relay
        )

    notify()
    assert relay.names == [
        "Called to acme.example",
        "Mapped to acme.example",
        "1 mail, first: Batch to acme.example",
    ]


def test_async_task_runs_too() -> None:
    """The async task has the same name."""
    relay = NotingNames()

    @flow
    async def notify() -> None:
        await asend_an_email(ANN, "Awaited", "b", relay=relay, from_="ops@example.org")

    asyncio.run(notify())
    assert relay.names == ["Awaited to acme.example"]
