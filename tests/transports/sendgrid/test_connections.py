from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from prefect_smtp_relay.exceptions import OutcomeUnknown, PermanentFailure
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.http.connections import Connections

from .api_server import (
    ApiServer,
    Handler,
    accept,
    raw,
    reply,
    reset_the_next_after,
    serve,
    then_close,
)

Deliver = Callable[..., Receipt]
MakeMessage = Callable[..., Message]
ONE_MAIL = """
import atexit, sys
name = "prefect_smtp_relay.process_memory"
# What was registered first runs last.
atexit.register(lambda: print(sys.modules[name].process_memory._objects))
from pydantic import SecretStr
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.transports.sendgrid import SendGridConfig, SendGridTransport
draft = compose("ann@example.org", subject="Disk full", text="Text", html="")
message = draft.from_mailbox(Mailbox.parse("ops@example.com"))
config = SendGridConfig(SecretStr("SG.x"), api_url=sys.argv[1])
SendGridTransport(config).deliver(message, Envelope.of(message))
"""


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


def deliver_at_once(api: ApiServer, deliver: Deliver, count: int) -> list[Receipt]:
    """Deliver mails of which none is answered before the server has all."""
    together = threading.Barrier(count)

    def answer(handler: Handler) -> None:
        together.wait(timeout=10)
        accept()(handler)

    api.answers = [answer] * count
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: deliver(), range(count)))


def test_mails_at_once_have_a_connection_each(api: ApiServer, deliver: Deliver) -> None:
    """No mail waits for the answer to another."""
    assert len(deliver_at_once(api, deliver, 3)) == 3
    assert len({request.port for request in api.requests}) == 3


def test_only_some_connections_are_kept(api: ApiServer, deliver: Deliver) -> None:
    """After a burst of mails at once, the connections beyond ten are closed."""
    deliver_at_once(api, deliver, 11)
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
    connections = process_memory.of(Connections)
    with process_memory._lock, connections._lock:
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


def test_a_kept_connection_that_breaks_while_a_mail_goes_out_is_replaced(
    api: ApiServer, deliver: Deliver, make_message: MakeMessage
) -> None:
    """The mail had not gone out as a whole, so nobody can have accepted it."""
    api.answers = [reset_the_next_after(100, accept("first")), accept("second")]
    deliver()
    message = make_message(attachments=[("big.bin", bytes(8_000_000))])
    assert deliver(message).provider_id == "second"
    assert len({request.port for request in api.requests}) == 2


def test_a_mail_that_went_out_is_never_repeated(api: ApiServer, deliver: Deliver) -> None:
    """A kept connection that ends instead of an answer may have carried a mail that was taken."""
    api.answers = [accept(), raw(b"")]
    deliver()
    with pytest.raises(OutcomeUnknown):
        deliver()
    assert len(api.requests) == 2


def test_an_answer_from_before_the_request_is_none(api: ApiServer, deliver: Deliver) -> None:
    """A server that answers one mail twice has not accepted the next one."""

    def answer_twice(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n" * 2)

    api.answers = [answer_twice, reply(400, "no")]
    deliver()
    with pytest.raises((OutcomeUnknown, PermanentFailure)):
        deliver()  # over the same connection, or over a new one where the surplus was seen in time
    assert deliver().outcome == "accepted"
    assert len({request.port for request in api.requests}) == 2


def test_threads_share_the_client(deliver: Deliver, make_message: MakeMessage) -> None:
    """Each of many mails at once gets the answer to itself."""

    def answer(handler: Handler) -> None:
        accept(handler.seen.payload["subject"])(handler)

    with serve() as api, ThreadPoolExecutor(8) as pool:
        api.answers = [answer] * 100
        subjects = [f"Mail {number}" for number in range(100)]
        messages = [make_message(subject=subject) for subject in subjects]
        receipts = pool.map(lambda message: deliver(message, api_url=api.url), messages)
        assert [receipt.provider_id for receipt in receipts] == subjects
    assert len({request.port for request in api.requests}) <= 8


def test_connections_are_closed_at_exit(api: ApiServer) -> None:
    """A process that ends leaves no connection open, and says nothing about it."""
    ended = subprocess.run(  # noqa: S603  # our own interpreter and text
        [sys.executable, "-X", "dev", "-c", ONE_MAIL, api.url],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "{}\n", "")
    assert len(api.requests) == 1
    assert api.closed.acquire(timeout=10)
