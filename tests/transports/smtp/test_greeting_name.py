"""The name in EHLO: the configured one, else this host's, and never a slow question to DNS."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import ConnectionFailed, PermanentFailure
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.testing.mail_server import MailServer

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer


@pytest.fixture(autouse=True)
def _no_slow_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise AssertionError("getfqdn can take 12 s where DNS is dead")

    monkeypatch.setattr(socket, "getfqdn", fail)
    monkeypatch.setattr(socket, "gethostbyaddr", fail)


def test_the_configured_name_arrives(
    start: Callable[..., MailServer], submit: Callable[..., Receipt]
) -> None:
    """`domain` is what the server hears."""
    server = start()
    submit(server, helo_domain="flows.example.org")
    assert [mail.helo for mail in server.mails] == ["flows.example.org"]


@pytest.mark.parametrize(
    ("host_name", "heard"),
    [
        ("worker-1.example.org", "worker-1.example.org"),
        ("Worker.Example.ORG.", "worker.example.org"),
        ("worker-1", "[127.0.0.1]"),
        ("worker.", "[127.0.0.1]"),
        ("my_worker.example.org", "[127.0.0.1]"),
        ("10.0.0.1", "[127.0.0.1]"),
        ("localhost.localdomain", "[127.0.0.1]"),
        ("", "[127.0.0.1]"),
        ("bad name.example.org", "[127.0.0.1]"),
        ("x\r\nMAIL.example.org", "[127.0.0.1]"),
    ],
)
def test_the_default_name(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    monkeypatch: pytest.MonkeyPatch,
    host_name: str,
    heard: str,
) -> None:
    """Blank means this host's name where it is qualified, else the address of the connection."""
    monkeypatch.setattr(socket, "gethostname", lambda: host_name)
    server = start()
    submit(server)
    assert [mail.helo for mail in server.mails] == [heard]


def test_the_default_over_ipv6(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An IPv6 address is written as RFC 5321, section 4.1.3, wants it."""
    monkeypatch.setattr(socket, "gethostname", lambda: "worker")
    try:
        server = start(host="::1")
    except OSError:
        pytest.skip("this host has no ::1")
    submit(server, address="::1")
    assert [mail.helo for mail in server.mails] == ["[IPv6:::1]"]


@pytest.mark.parametrize("answer", ["500 what?", "502 5.5.1 not implemented"])
def test_an_old_server_is_greeted_with_helo(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], answer: str
) -> None:
    """Where EHLO is unknown, HELO follows, with the same name, and no extension is used."""
    server = play(
        f"""
        S: 220 mx.test
        C: EHLO flows.example.org
        S: {answer}
        C: HELO flows.example.org
        S: 250 mx.test
        C: MAIL FROM:<flows@example.org>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go on
        BODY
        S: 250 taken
        C: QUIT
        """
    )
    assert submit(server, helo_domain="flows.example.org").response == "250 taken"


def test_a_name_that_is_refused(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """A server that does not like the name is not asked again; the error names `domain`."""
    server = play("S: 220 mx.test\nC: EHLO\nS: 550 5.7.1 who are you?")
    with pytest.raises(
        PermanentFailure, match=r"550 5\.7\.1 who are you\?.* set \*Advanced: HELO domain\*"
    ) as caught:
        submit(server)
    assert caught.value.stage == "EHLO"
    assert b"HELO" not in server.heard


def test_a_server_that_goes_after_helo(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """A connection lost in the greeting may be tried again."""
    server = play("S: 220 mx.test\nC: EHLO\nS: 502 what?\nC: HELO")
    with pytest.raises(ConnectionFailed, match="closed the connection"):
        submit(server)
