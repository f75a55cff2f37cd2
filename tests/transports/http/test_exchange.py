"""Many requests at once, some of which are given up: nobody gets another's answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import pytest

from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.http.exchange import exchange
from prefect_smtp_relay.transports.http.values import HttpRequest, NoAnswer
from tests.transports.sendgrid.api_server import Answer, Handler, drip, reply, serve


def echo_after(seconds: float) -> Answer:
    """Answer with the request's body, late."""

    def play(handler: Handler) -> None:
        handler.api.is_over.wait(seconds)
        reply(200, handler.seen.body)(handler)

    return play


def test_answers_that_come_about_when_the_time_is_over() -> None:
    """Each request gets its own answer, or is told to be late; no thread is left waiting."""
    delays = cycle([0.0, 0.0, 0.05, 0.09, 0.1, 0.11, 0.2])
    before = set(threading.enumerate())

    def ask(number: int) -> bool:
        request = HttpRequest(f"{api.url}/x", {}, b"%d" % number)
        try:
            answer = exchange(request, 0.1)
        except NoAnswer as failure:
            return failure.kind == "late"
        return answer.missing is not None or answer.body == request.body

    with serve() as api:
        api.answers = [echo_after(next(delays)) for _ in range(150)]
        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(ask, range(150)))
        process_memory.reset()
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert set(threading.enumerate()) <= before


def test_what_breaks_a_wait_off_cuts_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that is cancelled leaves no thread that reads an endless answer."""

    class BrokenOff(BaseException):
        """Raised in a waiting thread, as Prefect does."""

    def break_off(*_: object) -> None:
        raise BrokenOff

    before = set(threading.enumerate())
    monkeypatch.setattr("prefect_smtp_relay.transports.http.exchange._Attempt._wait", break_off)
    with serve() as api:
        api.answers = [drip(b"HTTP/1.1 200 OK\r\nX: ")]
        with pytest.raises(BrokenOff):
            exchange(HttpRequest(f"{api.url}/x", {}, b"x"), 30.0)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert set(threading.enumerate()) <= before
