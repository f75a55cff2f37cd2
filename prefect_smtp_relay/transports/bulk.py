"""Many messages through one transport, over several connections at once."""

from __future__ import annotations

import contextvars
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, runtime_checkable

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.base import Transport

Result = Receipt | EmailError
"""What became of one message of many."""


@runtime_checkable
class BulkTransport(Transport, Protocol):
    """A transport that is faster with many messages than with one after the other."""

    def deliver_all(
        self, mails: Sequence[tuple[Message, Envelope]], connections: int = 1
    ) -> list[Result]:
        """Submit many messages.

        Args:
            mails: messages with their envelopes.
            connections: how many at once.

        Returns:
            What became of each, in their order.
        """


def deliver_all(
    transport: Transport, mails: Sequence[tuple[Message, Envelope]], connections: int = 1
) -> list[Result]:
    """Submit many messages through any transport.

    Once the relay asks to wait (``retry_after``), the messages that are not begun wait too.

    Args:
        transport: takes them.
        mails: messages with their envelopes.
        connections: how many at once; each has a thread of its own.

    Returns:
        What became of each, in their order.
    """
    if isinstance(transport, BulkTransport):
        return transport.deliver_all(mails, connections)

    asked_to_wait: list[EmailError] = []

    def deliver(mail: tuple[Message, Envelope]) -> Result:
        if asked_to_wait:
            return asked_to_wait[0].copy()
        try:
            return transport.deliver(*mail)
        except EmailError as error:
            if error.retry_after is not None:
                asked_to_wait.append(error)
            return error.copy()  # a transport may raise one error for many mails

    threads = ThreadPoolExecutor(max(1, connections))
    try:
        running = [threads.submit(contextvars.copy_context().run, deliver, m) for m in mails]
        return [job.result() for job in running]
    finally:
        threads.shutdown(cancel_futures=True)  # what ends this early must not submit the rest
