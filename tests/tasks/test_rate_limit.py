"""SendGrid wants fewer mails (429): the next try comes when it said, and not before."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.blocks.abstract import NotificationError

from prefect_smtp_relay import (
    SMTP,
    Receipt,
    SendAnEmail,
    SendGrid,
    asend_an_email,
    send_an_email,
    send_emails,
)
from prefect_smtp_relay.delivery.resubmit import resubmit
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.exceptions import TransientFailure
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.sendgrid import client
from tests.clock import FastClock
from tests.transports.sendgrid.api_server import Answer, ApiServer, Handler, accept, reply, serve

ANN = "ann@example.org"


class Clock:
    """Notes when each mail arrives at SendGrid, and how it is answered.

    Args:
        api: the local SendGrid.
    """

    def __init__(self, api: ApiServer) -> None:
        self.moments: list[float] = []
        self._api = api

    def script(self, *answers: Answer) -> None:
        """Answer the next mails like this."""
        self._api.answers[:] = [self._noting(answer) for answer in answers]

    def _noting(self, answer: Answer) -> Answer:
        def play(handler: Handler) -> None:
            self.moments.append(time.monotonic())
            answer(handler)

        return play


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """A connected SendGrid; no delivery waits by itself, so that the waits are the task's."""
    monkeypatch.setattr(client, "MAX_WAIT_SECONDS", -1)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve() as api:
        SendGrid(
            api_key="SG.key", api_url=api.url, from_address="ops@example.com", categories=["block"]
        ).save("main", overwrite=True)
        yield api


@pytest.fixture
def clock(api: ApiServer) -> Clock:
    """When the mails arrive."""
    return Clock(api)


def send(**options: Any) -> Receipt:
    """Send from a flow, with no pause of Prefect's own between the tries."""
    action = send_an_email.with_options(retries=3, retry_delay_seconds=0)

    @flow
    def notify() -> Receipt:
        receipt: Receipt = action(ANN, "s", "b", **options)
        return receipt

    return notify()


def test_the_next_try_of_the_task_waits(api: ApiServer, clock: Clock) -> None:
    """Prefect's pause is too short here, so the try waits for the rest; it is one mail."""
    clock.script(reply(429, retry_after="2"), accept("2"))
    receipt = send()
    first, second = clock.moments
    assert second - first >= 1.9
    assert (receipt.provider_id, receipt.relay) == ("2", "sendgrid/main")
    assert api.requests[0].body == api.requests[1].body


def test_the_async_task_waits(clock: Clock) -> None:
    """The async twin waits in its thread."""
    clock.script(reply(429, retry_after="2"), accept())
    action = asend_an_email.with_options(retries=1, retry_delay_seconds=0)

    @flow
    async def notify() -> Receipt:
        return await action(ANN, "s", "b")

    asyncio.run(notify())
    first, second = clock.moments
    assert second - first >= 1.9


def test_many_mails_wait_together(api: ApiServer, clock: Clock) -> None:
    """One is asked to wait: the others are not submitted before, and the next try takes all."""
    clock.script(accept("1"), reply(429, retry_after="2"), accept("2"), accept())
    action = send_emails.with_options(retries=1, retry_delay_seconds=0)
    mails = [
        {"to": ANN, "subject": f"{number}", "body": "b", "categories": f"c{number}"}
        for number in range(3)
    ]

    @flow
    def notify() -> list[Receipt]:
        return action(mails, connections=1)

    receipts = notify()
    assert [request.payload["subject"] for request in api.requests] == ["0", "1", "1", "2"]
    assert api.requests[-1].payload["categories"] == ["block", "c2"]
    assert clock.moments[2] - clock.moments[1] >= 1.9
    assert [receipt.outcome for receipt in receipts] == ["accepted"] * 3


def test_another_relay_takes_the_mail_at_once(clock: Clock, mail_server: MailServer) -> None:
    """Who connects SMTP while SendGrid wants to wait does not wait."""

    def connect_smtp(handler: Handler) -> None:
        SMTP(
            address=mail_server.host,
            port=mail_server.port,
            ssl=False,
            from_address="ops@example.com",
        ).save("main", overwrite=True)
        reply(429, retry_after="600")(handler)

    clock.script(connect_smtp)
    assert send().relay == "smtp/main"
    assert len(mail_server.mails) == 1


def test_the_error_of_the_last_try_tells_the_wait(clock: Clock, outbox_path: Path) -> None:
    """After the last try the mail is kept, and whoever catches the error knows when to go on."""
    clock.script(reply(429, retry_after="600"))
    with pytest.raises(TransientFailure) as caught:
        send_an_email.fn(ANN, "s", "b")
    assert caught.value.retry_after == 600.0
    assert [str(path) for path in outbox_path.glob("*.eml")] == [caught.value.kept]


def test_a_notification_does_not_wait_for_long(clock: Clock, outbox_path: Path) -> None:
    """Where nobody can wait, the mail is kept at once, and not submitted before it may be."""
    clock.script(reply(429, retry_after="600"))
    started = time.monotonic()
    block = SendAnEmail(to=ANN)
    with block.raise_on_failure(), pytest.raises(NotificationError, match="is stored as"):
        block.notify("body")
    assert time.monotonic() - started < 10
    assert len(clock.moments) == 1
    assert len(list(outbox_path.glob("*.eml"))) == 1


def test_a_notification_waits_as_long_as_it_may(clock: Clock, fast_clock: FastClock) -> None:
    """A wait that fits into its ten seconds is kept to, whatever its own pauses are."""
    clock.script(reply(429, retry_after="2"), accept())
    SendAnEmail(to=ANN).notify("body")
    assert len(clock.moments) == 2
    assert sum(fast_clock.slept) == pytest.approx(2)


def test_categories_of_the_block_and_of_the_call(api: ApiServer) -> None:
    """Each mail has both, the block's first; a mail that waited in the outbox too."""
    send(categories="night, block")
    send_an_email.fn(ANN, "s", "b", categories=["kept"], relay="outbox")
    settings = current_settings()
    open_outbox(settings).flush(functools.partial(resubmit, settings=settings))
    seen = [request.payload["categories"] for request in api.requests]
    assert seen == [["block", "night"], ["block", "kept"]]
