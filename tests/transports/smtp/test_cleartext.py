"""A password never crosses a network in clear, unless the block says so in so many words."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import CleartextRefused, ConnectionFailed
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp import Credentials, Security
from prefect_smtp_relay.transports.smtp.session import session
from prefect_smtp_relay.transports.smtp.session.wire import is_loopback

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

Account = Callable[..., Credentials]
USERS = {"ann": "canary-password"}


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the server look remote: tests listen on loopback only, which is exempt."""
    monkeypatch.setattr(session, "is_loopback", lambda _: False)


@pytest.mark.usefixtures("far_away")
@pytest.mark.parametrize("mechanism", ["plain", "login"])
def test_a_password_in_clear_is_refused(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
) -> None:
    """PLAIN and LOGIN without encryption are refused before the AUTH command is written."""
    server = play("S: 220 mx.test\nC: EHLO\nS: 250-mx.test\nS: 250 AUTH PLAIN LOGIN")
    credentials = account("ann", "canary-password")
    with pytest.raises(CleartextRefused) as caught:
        submit(server, credentials=credentials, mechanism=mechanism)
    text = str(caught.value)
    assert text.startswith(f"smtp://127.0.0.1:{server.port} (AUTH): ")
    assert all(field in text for field in ("`ssl`", "`enable_starttls`", "`authentication`"))
    assert "canary" not in text
    secrets = [b"canary-password", b"\0ann\0canary-password"]
    assert b"AUTH" not in server.heard
    assert not any(s in server.heard or b64encode(s) in server.heard for s in secrets)


@pytest.mark.usefixtures("far_away")
def test_starttls_that_is_not_offered_does_not_leak_the_password(
    start_tls: Callable[..., MailServer], submit: Callable[..., Receipt], account: Account
) -> None:
    """Where STARTTLS is optional and somebody hides it, the password stays here."""
    server = start_tls(users=USERS, hidden_extensions=["STARTTLS"], auth_in_cleartext=True)
    with pytest.raises(CleartextRefused):
        submit(
            server,
            security=Security.STARTTLS_IF_OFFERED,
            credentials=account("ann", "canary-password"),
        )
    assert server.mails == []


@pytest.mark.usefixtures("far_away")
@pytest.mark.parametrize(
    "settings",
    [
        {"allow_cleartext_auth": True},
        {"allow_cleartext_auth": True, "mechanism": "login"},
        {"mechanism": "cram_md5"},
    ],
    ids=["allowed-plain", "allowed-login", "cram_md5"],
)
def test_what_permits_authentication_without_encryption(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    account: Account,
    settings: dict[str, object],
) -> None:
    """`allow_cleartext_auth` permits it, and CRAM-MD5 never shows the password."""
    server = start(users=USERS)
    submit(server, credentials=account("ann", "canary-password"), **settings)
    assert [mail.username for mail in server.mails] == ["ann"]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_loopback_is_exempt(
    start: Callable[..., MailServer], submit: Callable[..., Receipt], account: Account, host: str
) -> None:
    """Nobody can read along on the way to this host itself."""
    try:
        server = start(users=USERS, host=host)
    except OSError:
        pytest.skip(f"this host has no {host}")
    submit(server, address=host, credentials=account("ann", "canary-password"))
    assert [mail.mechanism for mail in server.mails] == ["PLAIN"]


@pytest.mark.parametrize(
    ("peer", "exempt"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.0.1", False),
        ("fe80::1%eth0", False),
        ("::ffff:192.0.2.1", False),
    ],
)
def test_what_is_loopback(peer: str, exempt: bool) -> None:
    """Every loopback address counts, also one that is written as an IPv6 address."""

    class Connected(socket.socket):
        def getpeername(self) -> tuple[str, int]:
            return peer, 25

    with Connected() as connected:
        assert is_loopback(connected) is exempt


def test_a_connection_that_is_gone_is_no_surprise(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A socket that cannot name its peer any more is a lost connection, not a foreign error."""
    monkeypatch.setattr(socket.socket, "getpeername", _not_connected)
    server = play("S: 220 mx.test\nC: EHLO\nS: 250-mx.test\nS: 250 AUTH PLAIN")
    with pytest.raises(ConnectionFailed, match="not connected"):
        submit(server, credentials=account("ann", "canary-password"))


def _not_connected(_: socket.socket) -> None:
    raise OSError(107, "Transport endpoint is not connected")
