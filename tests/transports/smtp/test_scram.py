"""SCRAM-SHA-256: no password on the wire, and a server that has to prove that it knows it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import AuthenticationFailed, EmailError
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.smtp import Credentials, Security
from prefect_smtp_relay.transports.smtp.auth.scram import Scram, ScramFailed
from prefect_smtp_relay.transports.smtp.session import session

if TYPE_CHECKING:
    from .sasl_server import SaslServer
    from .scripted_server import ScriptedServer

Account = Callable[..., Credentials]
GREETS = "S: 220 mx.test\nC: EHLO\nS: 250-mx.test\nS: 250 AUTH PLAIN SCRAM-SHA-256\n"


def _challenge(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize("username", ["ann", "ann,=@example.org"])
@pytest.mark.parametrize("password", ["pencil", "pässwörd-密码", ' "%\\ ', "x" * 200])
def test_the_right_password_is_accepted(
    start_sasl: Callable[..., SaslServer],
    submit: Callable[..., Receipt],
    account: Account,
    username: str,
    password: str,
) -> None:
    """A server of another make lets the account in, whatever its name and password."""
    server = start_sasl(users={username: password})
    settings = {"credentials": account(username, password), "mechanism": "scram_sha_256"}
    submit(server, security=Security.STARTTLS, **settings)
    (mail,) = server.mails
    assert (mail.mechanism, mail.username) == ("SCRAM-SHA-256", username)


def test_a_wrong_password_is_refused(
    start_sasl: Callable[..., SaslServer], submit: Callable[..., Receipt], account: Account
) -> None:
    """The error has the server's codes, and says which fields to check."""
    server = start_sasl(users={"ann": "right"})
    with pytest.raises(AuthenticationFailed) as caught:
        submit(
            server,
            security=Security.STARTTLS,
            credentials=account("ann", "canary-password"),
            mechanism="scram_sha_256",
        )
    assert (caught.value.code, caught.value.enhanced_code) == (535, "5.7.8")
    assert "Check *Username* (`username`), *Password* (`password`)" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_the_password_is_not_on_the_wire(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SCRAM goes without encryption too: the first message holds the name and a nonce alone."""
    monkeypatch.setattr(session, "is_loopback", lambda _: False)
    server = play(f"{GREETS}C: AUTH SCRAM-SHA-256 \nS: 535 no")
    with pytest.raises(AuthenticationFailed):
        submit(server, credentials=account("ann", "canary-password"), mechanism="scram_sha_256")
    said = bytes(server.heard).split(b"SCRAM-SHA-256 ")[1].strip()
    assert b64decode(said).startswith(b"n,,n=ann,r=")
    assert b"canary" not in server.heard + b64decode(said)


FAULTS = [
    pytest.param(_challenge("r=other,s=QUJDREVGR0hJSktMTU5PUA==,i=4096"), "nonce", id="nonce"),
    pytest.param(_challenge("e=other-error"), "other-error", id="error"),
    pytest.param(_challenge("m=unknown,r=x"), "broken off", id="extension"),
    pytest.param(_challenge("nothing"), "broken off", id="no-attributes"),
    pytest.param(_challenge(""), "broken off", id="empty"),
    pytest.param("!!!", "challenge is not base64", id="no-base64"),
    pytest.param(b64encode(b"\xff\xfe").decode(), "challenge is not base64", id="no-text"),
]


@pytest.mark.parametrize(("challenge", "words"), FAULTS)
def test_a_server_that_breaks_the_protocol(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    challenge: str,
    words: str,
) -> None:
    """What the server says wrong ends the login, and no proof is given to it."""
    server = play(f"{GREETS}C: AUTH SCRAM-SHA-256 \nS: 334 {challenge}")
    with pytest.raises(AuthenticationFailed) as caught:
        submit(server, credentials=account("ann", "canary-password"), mechanism="scram_sha_256")
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)
    server.stop()
    assert [line.split()[0] for line in server.heard.splitlines()] == [b"EHLO", b"AUTH", b"QUIT"]


@pytest.mark.parametrize("iterations", ["0", "1", "99999999999", "-1", "x" * 100])
def test_a_server_cannot_choose_how_long_the_client_computes(iterations: str) -> None:
    """Iteration counts that are unsafe, or would take hours, end the login."""
    scram = Scram(SecretStr("ann"), SecretStr("pencil"))
    nonce = b64decode(scram.open().get_secret_value()).decode().partition("r=")[2]
    first = _challenge(f"r={nonce}more,s=QUJDREVGR0hJSktMTU5PUA==,i={iterations}")
    with pytest.raises(ScramFailed):
        scram.prove(first)


@pytest.mark.parametrize("final", ["v=AAAA", "e=invalid-proof", "x=1"])
def test_the_signature_of_the_server_is_checked(final: str) -> None:
    """Who does not know the password is told apart, also where it would let the client in."""
    scram = Scram(SecretStr("ann"), SecretStr("pencil"))
    nonce = b64decode(scram.open().get_secret_value()).decode().partition("r=")[2]
    scram.prove(_challenge(f"r={nonce}more,s=QUJDREVGR0hJSktMTU5PUA==,i=4096"))
    with pytest.raises(ScramFailed):
        scram.verify(_challenge(final))
    assert not scram.has_server_proven


def test_the_proof_is_that_of_rfc_5802() -> None:
    """The client's proof is what the standard library computes by the formulas of section 3."""
    scram = Scram(SecretStr("ann"), SecretStr("pencil"))
    bare = b64decode(scram.open().get_secret_value()).decode().removeprefix("n,,")
    nonce, salt = f"{bare.partition('r=')[2]}more", b"ABCDEFGHIJKLMNOP"
    first = f"r={nonce},s={b64encode(salt).decode()},i=4096"
    final = b64decode(scram.prove(_challenge(first)).get_secret_value()).decode()
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", salt, 4096)
    key = hmac.digest(salted, b"Client Key", "sha256")
    without_proof, _, proof = final.rpartition(",p=")
    message = f"{bare},{first},{without_proof}".encode()
    signature = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
    expected = bytes(a ^ b for a, b in zip(key, signature, strict=True))
    assert b64decode(proof) == expected


def test_the_example_of_rfc_7677(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange of section 3 is repeated to the letter, and its server is believed."""
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _: "rOprNGfwEbeRWgbNEkqO")
    scram = Scram(SecretStr("user"), SecretStr("pencil"))
    assert b64decode(scram.open().get_secret_value()) == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    final = scram.prove(_challenge(f"r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"))
    proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    assert b64decode(final.get_secret_value()) == f"c=biws,r={nonce},p={proof}".encode()
    scram.verify(_challenge("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="))
    assert scram.has_server_proven


def test_a_server_that_proves_nothing_is_refused(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], account: Account
) -> None:
    """A 235 without the server's signature is no login: it may be an impostor's."""
    server = play(f"{GREETS}C: AUTH SCRAM-SHA-256 \nS: 235 welcome")
    with pytest.raises(AuthenticationFailed, match="did not prove that it knows the password"):
        submit(server, credentials=account("ann", "pencil"), mechanism="scram_sha_256")
    assert b"MAIL" not in server.heard


def test_a_login_that_is_broken_off_recommends_no_other_mechanism(
    play: Callable[..., ScriptedServer], check: Callable[..., Report], account: Account
) -> None:
    """The mechanism is offered: whatever is wrong, it is not the mechanism."""
    server = play(f"{GREETS}C: AUTH SCRAM-SHA-256 \nS: 334 !!!\nC: QUIT\nS: 221 bye")
    settings = {"security": Security.PLAIN_TEXT, "mechanism": "scram_sha_256"}
    report = check(server, credentials=account("ann", "canary-password"), **settings)
    assert report.step("login").outcome == "failed"
    assert not report.recommendation


def test_a_broken_login_is_one_of_our_errors(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], account: Account
) -> None:
    """A connection that ends in the middle of the exchange is transient."""
    server = play(f"{GREETS}C: AUTH SCRAM-SHA-256 ")
    with pytest.raises(EmailError, match="closed the connection") as caught:
        submit(server, credentials=account("ann", "pencil"), mechanism="scram_sha_256")
    assert caught.value.transient
