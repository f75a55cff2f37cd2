"""Sessions are kept between mails, and nobody notices when one of them has died."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    PermanentFailure,
    RecipientsRefused,
    TimedOut,
)
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.smtp import Credentials, Limits, Security, SmtpConfig
from prefect_smtp_relay.transports.smtp.connect.pool import Pool, _Lease

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

HELLO = "S: 220 mx.test\nEHLO SIZE 0\n"
PIPELINED = "S: 220 mx.test\nEHLO PIPELINING\n"
SERVE_ONE = HELLO + "SERVE 1\n"
UP_TO_RCPT = SERVE_ONE + "C: MAIL\nS: 250 ok\nC: RCPT\n"
UP_TO_DATA = UP_TO_RCPT + "S: 250 ok\nC: DATA\n"
BUSY = "S: 421 4.3.2 shutting down\nCLOSE"

ENDINGS = {
    "closed-at-once": f"{SERVE_ONE}CLOSE",
    "reset-at-once": f"{SERVE_ONE}RESET",
    "421-unasked": SERVE_ONE + BUSY,
    "closed-at-mail": f"{SERVE_ONE}C: MAIL\nCLOSE",
    "reset-at-mail": f"{SERVE_ONE}C: MAIL\nRESET",
    "silent-at-mail": f"{SERVE_ONE}C: MAIL\nSILENCE",
    "421-at-mail": f"{SERVE_ONE}C: MAIL\n{BUSY}",
    "421-at-rcpt": UP_TO_RCPT + BUSY,
    "closed-at-rcpt": f"{UP_TO_RCPT}CLOSE",
    "421-at-data": UP_TO_DATA + BUSY,
    "closed-at-data": f"{UP_TO_DATA}CLOSE",
    "421-behind-the-dot": f"{UP_TO_DATA}S: 354 go on\nBODY\n{BUSY}",
    "closed-when-pipelined": f"{PIPELINED}SERVE 1\nC: MAIL\nCLOSE",
    "421-when-pipelined": f"{PIPELINED}SERVE 1\nC: MAIL\n{BUSY}",
}


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for what another thread does, at most some seconds."""
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def test_the_second_mail_needs_no_connection(
    start: Callable[..., MailServer], submit: Callable[..., Receipt]
) -> None:
    """Transports of equal settings share a session, which greets and logs in once."""
    server = start()
    submit(server)
    submit(server)
    assert (len(server.mails), server.connections) == (2, 1)


def test_other_settings_are_another_session(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    account: Callable[..., Credentials],
) -> None:
    """A mail never goes over a session that was logged in with other credentials."""
    server = start(users={"ann": "one", "ben": "two"}, auth_in_cleartext=True)
    for name, password in (("ann", "one"), ("ben", "two"), ("ann", "one")):
        submit(server, credentials=account(name, password))
    assert [mail.username for mail in server.mails] == ["ann", "ben", "ann"]
    assert server.connections == 2


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_a_kept_session_that_dies_is_replaced(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], ending: str
) -> None:
    """However the server ends it before it accepts anything, the next mail arrives, once."""
    server = play(ending, HELLO + "SERVE")
    submit(server, timeout_seconds=0.5)
    receipt = submit(server, timeout_seconds=0.5)
    assert receipt.accepted == ("ann@example.org",)
    assert (len(server.stored), server.connections) == (2, 2)


def test_a_session_is_replaced_once(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """A server that ends the new session too is not asked a third time."""
    server = play(f"{SERVE_ONE}C: MAIL\nCLOSE", f"{HELLO}C: MAIL\nCLOSE")
    submit(server)
    with pytest.raises(ConnectionFailed):
        submit(server)
    assert server.connections == 2


def test_a_new_session_is_not_replaced(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """What a new session meets is no matter of its age: the task's retry comes later."""
    server = play(f"{HELLO}C: MAIL\nCLOSE")
    with pytest.raises(ConnectionFailed):
        submit(server)
    assert server.connections == 1


@pytest.mark.parametrize(
    "refusal",
    ["S: 550 5.7.1 no", "S: 250 ok\nC: RCPT\nS: 451 4.3.0 later\nC: RSET\nS: 250 ok"],
    ids=["mail-550", "rcpt-451"],
)
def test_a_refusal_is_an_answer(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], refusal: str
) -> None:
    """A kept session that refuses the mail is alive: nobody is asked again, and it is kept."""
    server = play(f"{SERVE_ONE}C: MAIL\n{refusal}\nSERVE")
    submit(server)
    with pytest.raises(PermanentFailure if "550" in refusal else RecipientsRefused):
        submit(server)
    submit(server)
    assert server.connections == 1


@pytest.mark.parametrize("reply", ["452 4.5.3 Too many messages sent", "450 4.7.1 rate", "503 no"])
def test_a_session_that_takes_no_more_mails_is_replaced(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], reply: str
) -> None:
    """A kept session in which MAIL is refused for now ends with QUIT, and a new one may do."""
    server = play(f"{SERVE_ONE}C: MAIL\nS: {reply}\nSERVE", HELLO + "SERVE")
    submit(server)
    assert submit(server).accepted == ("ann@example.org",)
    assert (len(server.stored), server.connections) == (2, 2)


def test_a_session_that_accepted_nobody_is_not_kept(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """Postscreen refuses a new client's first session for now, and wants to see it come back."""
    server = play(f"{HELLO}C: MAIL\nS: 250 ok\nC: RCPT\nS: 450 4.3.2 later\nSERVE", HELLO + "SERVE")
    with pytest.raises(RecipientsRefused):
        submit(server)
    submit(server)
    assert server.connections == 2


def test_who_is_left_after_too_many_refusals_is_offered_in_a_new_session(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
) -> None:
    """A server that hangs up on unknown recipients does not keep the mail from the others."""
    unknown = "C: RCPT\nS: 550 5.1.1 unknown\n"
    script = f"{HELLO}C: MAIL\nS: 250 ok\n{unknown}{unknown}C: RCPT\nS: 421 4.7.0 errors\nCLOSE"
    server = play(script, script, HELLO + "SERVE")
    names = [f"user{number}@example.org" for number in range(6)]
    receipt = submit(server, make_message(names))
    assert (list(receipt.refused), receipt.accepted) == (names[:4], tuple(names[4:]))


def test_an_idle_session_is_closed_politely(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """After some seconds without a mail the server hears QUIT, and nothing is kept."""
    server = play(HELLO + "SERVE")
    submit(server, limits=Limits(kept_seconds=0.05))
    wait_until(lambda: b"QUIT" in server.heard)
    wait_until(lambda: not process_memory.of(Pool)._relays)


def test_a_session_is_restarted_after_a_number_of_mails(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """Servers count the mails of a session: it is replaced before they object."""
    server = play(HELLO + "SERVE")
    for _ in range(5):
        submit(server, limits=Limits(transactions=2))
    assert (len(server.stored), server.connections) == (5, 3)


def test_the_connections_of_a_process_are_bounded(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """Threads wait for a session rather than open more than the relay can be expected to take."""
    server, limits = play("S: 220 mx.test\nEHLO SIZE 0\nWAIT 0.05\nSERVE"), Limits(connections=2)
    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(lambda _: submit(server, limits=limits), range(16)))
    assert len(receipts) == len(server.stored) == 16
    assert server.connections == 2


def test_waiting_for_a_session_ends(play: Callable[..., ScriptedServer]) -> None:
    """A mail that gets no session in time says how many are in use and what to change."""
    server, pool = play(HELLO + "SERVE"), Pool()
    config = SmtpConfig(server.host, server.port, Security.PLAIN_TEXT, limits=Limits(connections=1))
    with pool.lease(config, Deadline(10)):
        with (
            pytest.raises(TimedOut, match="all 1 connections of this process were in use"),
            pool.lease(config, Deadline(0.05)),
        ):
            pass
        assert server.connections == 1


def test_the_end_of_the_time_between_two_sessions_is_told(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
) -> None:
    """Who has the mail by then is in the receipt, the others may be accepted later."""
    # Two recipients add two seconds: a quarter of one is left.
    quarter_second = Limits(timeouts_per_delivery=-0.35, pauses_seconds=())
    script = "S: 220 mx.test\nEHLO LIMITS RCPTMAX=1\nSERVE 1\nREPEAT\nC: MAIL\nWAIT 9\nEND"
    message = make_message(["ann@x.org", "ben@x.org"])
    receipt = submit(play(script), message, limits=quarter_second)
    assert (receipt.accepted, receipt.deferred) == (("ann@x.org",), ("ben@x.org",))


def test_a_place_that_nobody_holds_is_free_again(
    play: Callable[..., ScriptedServer],
) -> None:
    """A thread that is broken off between any two steps takes its place with it."""
    server, pool = play(HELLO + "SERVE"), Pool()
    config = SmtpConfig(server.host, server.port, Security.PLAIN_TEXT, limits=Limits(connections=1))
    pool._take(config, _Lease(), Deadline(1), is_new=False)
    with pool.lease(config, Deadline(1)):
        assert server.connections == 1


def test_a_relay_that_cannot_be_reached_leaves_nothing_behind(
    play: Callable[..., ScriptedServer],
) -> None:
    """The pool forgets settings that never led to a session."""
    server, pool = play("S: 554 no"), Pool()
    config = SmtpConfig(server.host, server.port, Security.PLAIN_TEXT)
    with pytest.raises(PermanentFailure), pool.lease(config, Deadline(1)):
        pass
    assert pool._relays == {}


_CHILD = """
import os, sys
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.transports.smtp import Security, SmtpConfig, SmtpTransport

transport = SmtpTransport(SmtpConfig("127.0.0.1", int(sys.argv[1]), Security.PLAIN_TEXT))

def send(subject):
    draft = compose("ann@example.org", subject, text="t", html="h")
    message = draft.from_mailbox(Mailbox.parse("flows@example.org"))
    transport.deliver(message, Envelope.of(message))

send("parent")
if "fork" in sys.argv:
    if (child := os.fork()) == 0:
        send("child")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    send("parent again")
"""


def _run(server: ScriptedServer, *arguments: str) -> None:
    command = [sys.executable, "-c", _CHILD, str(server.port), *arguments]
    subprocess.run(command, check=True, timeout=60)  # noqa: S603  # our own script


def test_the_end_of_the_process_closes_what_is_kept(play: Callable[..., ScriptedServer]) -> None:
    """At exit the server hears QUIT."""
    server = play(PIPELINED + "SERVE")
    _run(server)
    wait_until(lambda: server.heard.endswith(b"QUIT\r\n"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork: run it elsewhere")
def test_a_forked_process_opens_its_own(play: Callable[..., ScriptedServer]) -> None:
    """A child never speaks in its parent's session, and leaves it as it is."""
    server = play(PIPELINED + "SERVE")
    _run(server, "fork")
    wait_until(lambda: len(server.stored) == 3)
    assert server.connections == 2
