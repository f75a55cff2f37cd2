"""What becomes of a mail when SendGrid wants fewer of them (429)."""

from __future__ import annotations

import pickle
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import PermanentFailure, TransientFailure
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.sendgrid.answer import Answer

from .api_server import ApiServer, accept, reply

Deliver = Callable[..., Receipt]
NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "17"}, 17),
        ({"retry-after": "17", "x-ratelimit-reset": "1714564860"}, 17),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90),
        ({"retry-after": "Wed, 01 May 2024 12:00:30 -0000"}, 30),
        ({"retry-after": format_datetime(NOW - timedelta(days=1), usegmt=True)}, 0),
        ({"retry-after": "soon", "x-ratelimit-reset": "1714564860"}, 60),
        ({"x-ratelimit-reset": "1714564000"}, 0),
        ({"x-ratelimit-reset": "-5"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "Wed, 99 May 99999 12:00:30 GMT"}, None),
        ({}, None),
        ({"x-ratelimit-reset": "1714568460", "date": "Wed, 01 May 2024 13:00:00 GMT"}, 60),
        ({"retry-after": "17", "date": "soon"}, 17),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: int | None) -> None:
    """Retry-After counts before X-RateLimit-Reset, SendGrid's clock before ours."""
    assert Answer(429, headers, b"").seconds_to_wait(NOW) == seconds


@pytest.mark.parametrize(("status", "seconds"), [(429, 17), (503, 17), (500, None), (400, None)])
def test_who_asks_to_wait(status: int, seconds: int | None) -> None:
    """Only 429 and 503 do."""
    assert Answer(status, {"retry-after": "17"}, b"").seconds_to_wait(NOW) == seconds


def test_429_names_the_wait(api: ApiServer, deliver: Deliver) -> None:
    """The error tells the seconds that SendGrid asked for, in its text and as a number."""
    api.answers = [reply(429, retry_after="17", x_ratelimit_reset="1")]
    with pytest.raises(TransientFailure, match="wait 17 seconds before the next") as caught:
        deliver()
    error = caught.value
    copies = (error, error.copy(), pickle.loads(pickle.dumps(error)))  # noqa: S301 - our own pickle
    assert [copy.retry_after for copy in copies] == [17.0] * 3
    assert len(api.requests) == 1


@pytest.mark.parametrize("header", ["seconds", "date", "reset"])
def test_a_short_wait_is_waited_within_the_delivery(
    api: ApiServer, deliver: Deliver, header: str
) -> None:
    """The same mail goes again once the wait is over, whichever header names it."""
    in_three = datetime.now(UTC) + timedelta(seconds=3)
    headers = {
        "seconds": {"retry_after": "3"},
        "date": {"retry_after": format_datetime(in_three, usegmt=True)},
        "reset": {"x_ratelimit_reset": str(int(in_three.timestamp()))},
    }
    waited: list[float] = []
    api.answers = [reply(429, **headers[header]), accept("2")]
    assert deliver(wait=waited.append).provider_id == "2"
    assert len(waited) == 1
    assert 1 <= waited[0] <= 3
    assert api.requests[0].body == api.requests[1].body


def test_a_second_429_is_left_to_the_caller(api: ApiServer, deliver: Deliver) -> None:
    """A delivery waits once, and tells the next wait."""
    api.answers = [reply(429, retry_after="0"), reply(429, retry_after="3")]
    with pytest.raises(TransientFailure, match="wait 3 seconds") as caught:
        deliver()
    assert (len(api.requests), caught.value.retry_after) == (2, 3.0)


def test_what_the_second_try_meets_is_told(api: ApiServer, deliver: Deliver) -> None:
    """After the wait, any other answer counts as always."""
    api.answers = [reply(429, retry_after="0"), reply(400, "no")]
    with pytest.raises(PermanentFailure):
        deliver()


@pytest.mark.parametrize(
    ("headers", "settings", "retry_after"),
    [
        ({"retry_after": "6"}, {}, 6.0),
        ({"retry_after": "2"}, {"timeout_seconds": 1.0}, 2.0),
        ({}, {}, None),
    ],
)
def test_a_wait_that_is_too_long_or_unknown_is_left_to_the_caller(
    api: ApiServer,
    deliver: Deliver,
    headers: dict[str, str],
    settings: dict[str, Any],
    retry_after: float | None,
) -> None:
    """More than five seconds, or than the block's own bound, are not waited within a delivery."""
    api.answers = [reply(429, **headers)]
    with pytest.raises(TransientFailure) as caught:
        deliver(**settings)
    assert (len(api.requests), caught.value.retry_after) == (1, retry_after)


def test_only_429_is_asked_again(api: ApiServer, deliver: Deliver) -> None:
    """Of another answer nobody knows that it accepted nothing."""
    api.answers = [reply(503, retry_after="0")]
    with pytest.raises(TransientFailure) as caught:
        deliver()
    assert (len(api.requests), caught.value.retry_after) == (1, 0.0)


def test_the_wait_can_be_broken_off(api: ApiServer, deliver: Deliver) -> None:
    """What a task's timeout or a cancellation raises ends the wait, and the mail is not sent."""

    class BrokenOff(BaseException):
        """Raised by a signal, as Prefect does."""

    def break_off(*_: object) -> None:
        raise BrokenOff

    api.answers = [reply(429, retry_after="5")]
    before = signal.signal(signal.SIGUSR1, break_off)
    try:
        timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGUSR1])
        timer.start()
        with pytest.raises(BrokenOff):
            deliver()
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    assert len(api.requests) == 1
