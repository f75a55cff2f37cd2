"""A delivery is bounded as a whole, however busy the server looks."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import ConnectionFailed, OutcomeUnknown, TimedOut
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.smtp import Limits, Security, SmtpConfig, SmtpTransport

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

SLOW = "WAIT 0.4\nS: 220 mx.test\nEHLO SIZE 0\nWAIT 0.4\nC: MAIL\nWAIT 0.4\nS: 250 ok\nSERVE"


UP_TO_DATA = "S: 220 mx.test\nEHLO SIZE 0\nC: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\n"
ONE_SECOND = Limits(timeouts_per_delivery=0)
"""For a delivery to one recipient with hardly a byte."""


def test_slow_replies_add_up(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """Each reply comes in time, and still the delivery ends."""
    with pytest.raises(TimedOut) as caught:
        submit(play(SLOW), timeout_seconds=5, limits=ONE_SECOND)
    assert caught.value.stage == "MAIL"


def test_a_slow_final_reply_is_waited_for(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """After the message, giving up would make copies: its reply has a bound of its own."""
    server = play(f"{UP_TO_DATA}S: 354 go\nSTORE\nWAIT 1.2\nS: 250 ok\nSERVE")
    assert submit(server, timeout_seconds=0.5, limits=ONE_SECOND).accepted == ("ann@example.org",)
    assert len(server.stored) == 1


def test_a_final_reply_that_never_comes(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """In the end nobody knows what became of the mail, and the error says so."""
    server = play(f"{UP_TO_DATA}S: 354 go\nSTORE\nSILENCE")
    with pytest.raises(OutcomeUnknown, match="It may have been accepted: look for its Message-ID"):
        submit(server, timeout_seconds=5, limits=Limits(final_reply_seconds=0.2))


def test_the_final_reply_has_ten_minutes() -> None:
    """RFC 5321, section 4.5.3.2.6."""
    assert Limits().final_reply_seconds == 600


def test_replies_may_be_held_back_for_all_recipients(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
) -> None:
    """A server that pipelines and takes its time for each recipient has a second for each."""
    names = [f"user{number}@example.org" for number in range(3)]
    replies = r"RAW 250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"
    server = play(
        "S: 220 mx.test\nEHLO PIPELINING\nC: MAIL\nC: RCPT\nC: RCPT\nC: RCPT\nC: DATA\n"
        f"WAIT 0.6\n{replies}\nSTORE\nS: 250 ok\nSERVE"
    )
    assert submit(server, make_message(names), timeout_seconds=0.3).accepted == tuple(names)


@pytest.mark.parametrize(
    ("size", "recipients", "seconds"), [(0, 0, 150), (65_536 * 60, 0, 210), (0, 40, 190)]
)
def test_large_mails_and_many_recipients_have_longer(
    size: int, recipients: int, seconds: float
) -> None:
    """A second for each 64 KiB, and a second for each recipient."""
    left = Deadline.of_delivery(150, size, recipients).left()
    assert seconds - 1 < left <= seconds


def test_a_resolver_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, make_message: Callable[..., Message]
) -> None:
    """Looking up the name ends with the time limit too, which the system's resolver ignores."""
    answering = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answering.wait(30))
    message = make_message()
    with pytest.raises(TimedOut) as caught:
        SmtpTransport(SmtpConfig("mx.example.org", timeout_seconds=0.2)).deliver(
            message, Envelope.of(message)
        )
    answering.set()
    assert caught.value.stage == "connect"


def test_a_dead_address_does_not_use_up_the_time_of_the_next(
    play: Callable[..., ScriptedServer],
    monkeypatch: pytest.MonkeyPatch,
    make_message: Callable[..., Message],
) -> None:
    """A host of two addresses is reached by the second where nobody listens at the first."""
    server, message = play("S: 220 mx.test\nEHLO SIZE 0\nSERVE"), make_message()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        places = [silent.getsockname(), (server.host, server.port)]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        receipt = _submit_in_clear(message)
    assert receipt.accepted == ("ann@example.org",)


def test_a_host_without_addresses(
    monkeypatch: pytest.MonkeyPatch, make_message: Callable[..., Message]
) -> None:
    """A look-up that finds nothing is told as such."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    with pytest.raises(ConnectionFailed, match="the host has no address"):
        _submit_in_clear(make_message())


def _submit_in_clear(message: Message) -> Receipt:
    config = SmtpConfig("mx.example.org", security=Security.PLAIN_TEXT, timeout_seconds=5)
    return SmtpTransport(config).deliver(message, Envelope.of(message))
