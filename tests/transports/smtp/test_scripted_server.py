"""The scripted server itself, spoken to by the standard library's client and by plain sockets."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.testing.certificates import Certificates

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

Play = Callable[..., "ScriptedServer"]
GREETED = "S: 220 mx.test\nEHLO SIZE 0\n"


@contextlib.contextmanager
def client_of(server: ScriptedServer) -> Iterator[smtplib.SMTP]:
    """A client that has greeted."""
    with contextlib.closing(smtplib.SMTP(server.host, server.port, "client.test", 5)) as client:
        client.ehlo()
        yield client


def ask(server: ScriptedServer, octets: bytes) -> bytes:
    """Write this at once, and read to the end."""
    with socket.create_connection((server.host, server.port), 5) as sock:
        sock.sendall(octets)
        with sock.makefile("rb") as replies:
            return replies.read()


def test_connections_are_served_at_the_same_time(play: Play) -> None:
    """A connection that stays open holds up none that comes later, whose script is its own."""
    server = play("S: 220 first\nSERVE", "S: 220 second\nSERVE")
    names = []
    with contextlib.ExitStack() as running:
        for _ in range(3):
            sock = running.enter_context(socket.create_connection((server.host, server.port), 5))
            names.append(sock.recv(100))
        assert names == [b"220 first\r\n", b"220 second\r\n", b"220 second\r\n"]
    assert server.connections == 3


def test_what_is_against_the_script_is_a_surprise(play: Play) -> None:
    """Another line than the script wants is noted with both; a client that leaves is not."""
    server = play("C: EHLO\nS: 250 ok\nC: MAIL")
    assert ask(server, b"NOOP\r\nMAIL FROM:<>\r\n") == b"250 ok\r\n"
    socket.create_connection((server.host, server.port)).close()
    server.stop()
    assert server.surprises == ["expected 'EHLO', heard 'NOOP'"]
    server.surprises.clear()


@pytest.mark.parametrize(
    "script", ["SILENCE", "STALL", "C: EHLO", "WAIT 60", "DRIP 2", "REPEAT\nWAIT 1\nEND"]
)
def test_the_end_is_at_once(play: Play, script: str) -> None:
    """Whatever the script waits for, stopping closes the connection without waiting for it."""
    server = play(f"S: 220 mx.test\n{script}")
    with socket.create_connection((server.host, server.port), 5) as sock:
        assert sock.recv(5) == b"220 m"
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 1


def test_the_end_hears_what_was_written(play: Play) -> None:
    """What a client wrote before the server was stopped is in `heard`, though nobody awaits it."""
    server = play("S: 220 mx.test\nSILENCE")
    with socket.create_connection((server.host, server.port), 5) as sock:
        sock.recv(100)
        sock.sendall(b"x" * 100_000)
        server.stop()
    assert len(server.heard) == 100_000


def test_tls_begins_within_a_connection(play: Play, certificates: Certificates) -> None:
    """The step TLS encrypts what follows; what was heard in clear is told apart."""
    server = play("S: 220 mx.test\nEHLO STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\nEHLO SIZE 0\nSERVE")
    with client_of(server) as client:
        client.starttls(context=ssl.create_default_context(cadata=certificates.ca_pem))
        client.sendmail("flows@example.org", ["ann@example.org"], b"secret\r\n" * 50_000)
        client.quit()
    assert len(server.stored[0].octets) == 400_000
    assert b"secret" in server.heard
    assert server.heard_in_clear == b"ehlo client.test\r\nSTARTTLS\r\n"


def test_a_copy_is_stored_for_whom_it_was_accepted(play: Play) -> None:
    """STORE notes reverse-path, accepted recipients and the octets without dot-stuffing."""
    server = play(
        f"{GREETED}C: mail\nS: 250 ok\nC: rcpt\nS: 250-2.1.5\nRAW 250 2\nRAW .1.5\\r\\n\n"
        "C: rcpt\nS: 550 5.1.1 no\nC: data\nS: 354 go on\nSTORE\nS: 250 ok\nSERVE"
    )
    with client_of(server) as client:
        client.sendmail("flows@example.org", ["ann@example.org", "ben@example.org"], b".a\r\n..b")
        client.sendmail("ops@example.org", ["ben@example.org"], b"")
    assert [tuple(mail) for mail in server.stored] == [
        ("flows@example.org", ("ann@example.org",), b".a\r\n..b\r\n"),
        ("ops@example.org", ("ben@example.org",), b"\r\n"),
    ]


def test_pipelined_commands_are_told_apart(play: Play) -> None:
    """One segment with all commands of two mails is read as the same commands one by one."""
    server = play("SERVE 2\nS: 421 enough")
    mail = b"MAIL FROM:<flows@example.org>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\nText\r\n.\r\n"
    assert ask(server, mail + mail).count(b"250 2.0.0 stored as") == 2
    assert [mail.octets for mail in server.stored] == [b"Text\r\n"] * 2


def test_a_good_server_takes_nothing_out_of_turn(play: Play) -> None:
    """SERVE refuses what a client has pipelined behind a refused MAIL, and takes the next mail."""
    server = play("C: MAIL\nS: 451 4.3.0 not now\nSERVE")
    refused = b"MAIL FROM:<flows@example.org>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n"
    replies = ask(server, refused + refused + b"Text\r\n.\r\nRCPT TO:<ben@example.org>\r\nQUIT\r\n")
    codes = [line[:3].decode() for line in replies.splitlines()]
    assert " ".join(codes) == "451 503 503 250 250 354 250 503 221"
    assert len(server.stored) == 1


def test_a_good_server_takes_all_up_to_quit(play: Play) -> None:
    """SERVE without a number ends with QUIT, and knows no other commands than it needs."""
    replies = ask(play("SERVE"), b"VRFY ann\r\nRSET\r\nQUIT\r\n")
    assert [line[:3] for line in replies.splitlines()] == [b"502", b"250", b"221"]


def test_every_line_is_answered(play: Play) -> None:
    """ANSWER gives each line one reply, those that it names their own, and ends with QUIT."""
    server = play("ANSWER 503 5.5.1 no | DATA 354 go on | . 554 nobody\nS: 221 twice")
    replies = ask(server, b"RCPT TO:<a@b>\r\nDATA\r\n.\r\nRSET\r\nQUIT\r\n").splitlines()
    assert [line[:3] for line in replies] == [b"503", b"354", b"554", b"250", b"221", b"221"]


def test_steps_are_repeated(play: Play) -> None:
    """REPEAT takes the steps up to its END so often, one within the other too."""
    script = "REPEAT 2\nS: a\nREPEAT 3\nRAW \\xff\nEND\nEND\nS: b"
    assert ask(play(script), b"") == b"a\r\n\xff\xff\xffa\r\n\xff\xff\xffb\r\n"


@pytest.mark.parametrize("script", ["SAY 220", "REPEAT 2\nS: a", "S: a\nEND\nS: b"])
def test_a_script_that_is_none(play: Play, script: str) -> None:
    """A step that does not exist, or a block without its end, is told before anything is served."""
    with pytest.raises(ValueError, match=r"step|END"):
        play(script)


def test_a_script_that_cannot_be_played(play: Play) -> None:
    """A step that fails for its own fault is a surprise, not a silent end."""
    server = play("FLOOD many")
    assert ask(server, b"") == b""
    assert "invalid literal" in server.surprises.pop()
