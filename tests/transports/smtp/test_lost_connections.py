"""No connection, a lost one, and one that says too much too slowly."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    DeliveryError,
    PermanentFailure,
    RelayConfigurationError,
    TimedOut,
)
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.smtp import Security, SmtpConfig, SmtpTransport

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

DATA = """
S: 220 mx.test
C: EHLO
S: 250 mx.test
C: MAIL
S: 250 ok
C: RCPT
S: 250 ok
C: DATA
S: 354 go on
"""


@pytest.fixture
def big_message(make_message: Callable[..., Message]) -> Message:
    """A message that no socket buffer holds."""
    return make_message(attachments=[("dump.bin", bytes(20_000_000))])


@pytest.mark.parametrize(
    ("script", "kind"),
    [("", ConnectionFailed), ("HEAR\nRESET", ConnectionFailed), ("SILENCE", TimedOut)],
)
def test_faults_in_the_direct_handshake(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    script: str,
    kind: type[DeliveryError],
) -> None:
    """A server that does not go on with the TLS handshake is named with the fields to check."""
    with pytest.raises(kind, match="check `port`, `ssl`") as caught:
        submit(play(script), security=Security.DIRECT_OR_STARTTLS, timeout_seconds=0.3)
    assert caught.value.stage == "TLS"


def test_a_connection_that_is_reset_at_once(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """It may pass later, and `address` and `port` are to be checked, whoever noticed it first."""
    with pytest.raises(ConnectionFailed, match="heck `address` and `port`") as caught:
        submit(play("RESET"))
    assert caught.value.stage in {"connect", "greeting"}


def test_a_busy_server_is_no_tls_failure(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """A plain 421 in place of the TLS handshake is heard when the server is asked again."""
    server = play("S: 421 4.3.2 busy", "S: 421 4.3.2 busy")
    with pytest.raises(DeliveryError, match=r"421 4\.3\.2 busy") as caught:
        submit(server, security=Security.DIRECT_OR_STARTTLS)
    assert caught.value.transient
    assert server.connections == 2


def test_the_words_and_codes_are_kept(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """A multi-line reply gives one code, one enhanced code, and its words in one printable line."""
    server = play("RAW 554-5.7.1 first\\r\\n554-5.7.1 \\x1b[2Jsecond\\n554 5.7.1 third\\r\\n")
    with pytest.raises(PermanentFailure, match=r"554 5\.7\.1 first +\[2Jsecond third\.") as caught:
        submit(server)
    assert (caught.value.code, caught.value.enhanced_code) == (554, "5.7.1")


def test_a_reply_in_single_octets_is_read_whole(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """A reply that comes in pieces is one reply."""
    server = play("RAW 2\nRAW 2\nRAW 0-\nRAW a\nRAW \\r\nRAW \\n22\nS: 0 b\nC: EHLO\nS: 554 no")
    with pytest.raises(PermanentFailure, match="554 no"):
        submit(server)


def test_a_connection_lost_in_the_body(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], big_message: Message
) -> None:
    """It may be tried again: without the final dot, nothing was accepted."""
    with pytest.raises(ConnectionFailed) as caught:
        submit(play(DATA + "C: \nRESET"), big_message)
    assert caught.value.stage == "body"


def test_a_body_that_nobody_reads(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], big_message: Message
) -> None:
    """The wait for a server that takes no more octets ends with the time limit."""
    with pytest.raises(TimedOut) as caught:
        submit(play(DATA + "STALL"), big_message, timeout_seconds=0.3)
    assert caught.value.stage == "body"


@pytest.mark.parametrize("ending", ["SILENCE", "", "RESET", "DRIP 221", "S: 500 what?", "S: bye"])
def test_after_acceptance_nothing_can_fail(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], ending: str
) -> None:
    """Whatever QUIT meets, the message was accepted, and the wait ends with the time limit."""
    server = play(DATA + "BODY\nS: 250-2.0.0 queued\nS: 250 as 4711\nC: QUIT\n" + ending)
    receipt = submit(server, timeout_seconds=0.3)
    assert (receipt.outcome, receipt.accepted) == ("accepted", ("ann@example.org",))
    assert receipt.response == "250 2.0.0 queued as 4711"


def test_nobody_listens(make_message: Callable[..., Message]) -> None:
    """A refused connection is transient, names what to check, and keeps its cause."""
    message = make_message()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        transport = SmtpTransport(SmtpConfig("127.0.0.1", silent.getsockname()[1]))
        with pytest.raises(ConnectionFailed, match="Check `address` and `port`") as caught:
            transport.deliver(message, Envelope.of(message))
    assert caught.value.stage == "connect"
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


def test_an_unknown_host(
    monkeypatch: pytest.MonkeyPatch, make_message: Callable[..., Message]
) -> None:
    """A name that DNS does not know is transient, and the error names `address`."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    message = make_message()
    with pytest.raises(ConnectionFailed, match=r"not known. Check the host name in `address`"):
        SmtpTransport(SmtpConfig("mx.example.org")).deliver(message, Envelope.of(message))


@pytest.mark.parametrize("address", ["mx..example.org", "x" * 64 + ".org"])
def test_no_host_name(make_message: Callable[..., Message], address: str) -> None:
    """What cannot be a host name is a configuration error that names `address`."""
    message = make_message()
    with pytest.raises(RelayConfigurationError, match="Set `address`"):
        SmtpTransport(SmtpConfig(address)).deliver(message, Envelope.of(message))
