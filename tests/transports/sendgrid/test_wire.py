from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    EmailError,
    OutcomeUnknown,
    PermanentFailure,
    RelayConfigurationError,
    TimedOut,
)
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.sendgrid import connection
from prefect_smtp_relay.transports.sendgrid.answer import BODY_LIMIT

from .api_server import (
    Answer,
    ApiServer,
    Handler,
    accept,
    drip,
    never_read,
    raw,
    reply,
    serve,
    stall,
    then_close,
)

Deliver = Callable[..., Receipt]
MakeMessage = Callable[..., Message]
BEGUN = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: X-1\r\nContent-Length: 900000\r\n\r\n"


def test_one_connection_carries_many_mails(api: ApiServer, deliver: Deliver) -> None:
    """Transports of one URL share the kept connection, errors in between included."""
    api.answers = [accept(), reply(400, "no"), accept()]
    deliver()
    with pytest.raises(PermanentFailure):
        deliver()
    deliver(sandbox_mode=True)
    assert len({request.port for request in api.requests}) == 1


def test_a_connection_closed_while_idle_is_replaced(api: ApiServer, deliver: Deliver) -> None:
    """The peer closes between two mails, and the caller notices nothing."""
    api.answers = [then_close(accept("first")), accept("second")]
    deliver()
    assert api.closed.acquire(timeout=10)
    assert deliver().provider_id == "second"
    assert len({request.port for request in api.requests}) == 2


def test_mails_at_once_have_a_connection_each(api: ApiServer, deliver: Deliver) -> None:
    """No mail waits for the answer to another."""
    together = threading.Barrier(3)

    def answer(handler: Handler) -> None:
        together.wait(timeout=10)
        accept()(handler)

    api.answers = [answer] * 3
    with ThreadPoolExecutor(3) as pool:
        assert len(list(pool.map(lambda _: deliver(), range(3)))) == 3
    assert len({request.port for request in api.requests}) == 3


def test_only_some_connections_are_kept(api: ApiServer, deliver: Deliver) -> None:
    """After a burst of mails at once, the connections beyond ten are closed."""
    together = threading.Barrier(11)

    def answer(handler: Handler) -> None:
        together.wait(timeout=10)
        accept()(handler)

    api.answers = [answer] * 11
    with ThreadPoolExecutor(11) as pool:
        list(pool.map(lambda _: deliver(), range(11)))
    assert api.closed.acquire(timeout=10)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_connects_by_itself(api: ApiServer, deliver: Deliver) -> None:
    """Two processes on one connection would read each other's answers; the parent keeps its own."""
    deliver()
    if (child := os.fork()) == 0:
        try:
            deliver()
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    deliver()
    first, of_the_child, last = (request.port for request in api.requests)
    assert first == last != of_the_child


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_process_forked_at_a_bad_moment_is_not_stuck(deliver: Deliver) -> None:
    """Another thread was just choosing a connection: that lock is nobody's in the child."""
    with connection._lock:
        if (child := os.fork()) == 0:
            signal.alarm(10)
            try:
                deliver()
                os._exit(0)
            except BaseException:
                os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_cookies_are_not_kept(api: ApiServer, deliver: Deliver) -> None:
    """Accounts that share a connection share nothing else."""
    api.answers = [reply(202, set_cookie="a=b"), accept()]
    deliver()
    deliver()
    assert "cookie" not in api.requests[1].headers


def test_nobody_listens(deliver: Deliver) -> None:
    """A refused connection is `ConnectionFailed`, with its cause."""
    with serve() as gone:
        url = gone.url
    with pytest.raises(ConnectionFailed, match=r"no connection\. Check the network") as caught:
        deliver(api_url=url)
    assert caught.value.stage == "connect"
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    "answer",
    [
        raw(b""),
        raw(b"HTTP/1.1 20"),
        raw(b"220 this is SMTP\r\n"),
        drip(b"HTTP/1.1 202 Accepted\r\nX-Slow: "),
        stall,
    ],
)
def test_no_answer_after_the_mail_went_out(
    api: ApiServer, deliver: Deliver, answer: Answer
) -> None:
    """Lost, garbled, silent or endless: the mail may have been accepted."""
    api.answers = [answer]
    with pytest.raises(OutcomeUnknown, match="may have been accepted") as caught:
        deliver(timeout_seconds=0.3)
    assert caught.value.stage == "POST /v3/mail/send"
    assert caught.value.transient
    assert len(api.requests) == 1


@pytest.mark.parametrize("answer", [raw(BEGUN), drip(BEGUN), raw(BEGUN + b"x" * 900_000)])
def test_a_body_that_does_not_end_changes_no_outcome(
    api: ApiServer, deliver: Deliver, answer: Answer
) -> None:
    """Once 202 is there, a body cut off, dripping or too long is not waited for."""
    api.answers = [answer]
    receipt = deliver(timeout_seconds=0.3)
    assert (receipt.outcome, receipt.provider_id) == ("accepted", "X-1")
    assert deliver().provider_id == "X-1"


def test_a_refusal_is_told_from_what_came_of_it(api: ApiServer, deliver: Deliver) -> None:
    """A 400 whose body drips is permanent, with an excerpt."""
    start = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 900000\r\n\r\nwrong"
    api.answers = [drip(start)]
    with pytest.raises(PermanentFailure, match="400 Bad Request: wrongx"):
        deliver(timeout_seconds=0.3)


def test_a_long_body_is_read_to_a_limit(api: ApiServer, deliver: Deliver) -> None:
    """What stands behind the limit is never read."""
    api.answers = [reply(400, b" " * BODY_LIMIT + b"behind")]
    with pytest.raises(PermanentFailure) as caught:
        deliver()
    assert "behind" not in caught.value.detail


@pytest.mark.parametrize(("reset_after", "kind"), [(100, ConnectionFailed), (None, TimedOut)])
def test_a_mail_that_could_not_be_handed_over(
    deliver: Deliver, make_message: MakeMessage, reset_after: int | None, kind: type[EmailError]
) -> None:
    """A connection lost or stuck while the mail is written leaves no doubt: nothing was taken."""
    message = make_message(attachments=[("big.bin", bytes(20_000_000))])
    with never_read(reset_after=reset_after) as url, pytest.raises(kind) as caught:
        deliver(message, api_url=url, timeout_seconds=0.5)
    assert type(caught.value) is kind


def test_a_host_that_is_no_name(deliver: Deliver) -> None:
    """A label too long for DNS is a configuration error."""
    with pytest.raises(RelayConfigurationError, match="Check api_url"):
        deliver(api_url=f"http://{'x' * 70}.example")
