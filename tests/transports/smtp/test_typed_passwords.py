"""Names and passwords go out as they were typed, in UTF-8: preparing is the server's business."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    EmailError,
    RelayConfigurationError,
)
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp import Credentials, Security

if TYPE_CHECKING:
    from .sasl_server import SaslServer
    from .scripted_server import ScriptedServer

Account = Callable[..., Credentials]
GREETS = "S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 XOAUTH2\n"
PASSWORDS = [
    pytest.param("p\u00aass", id="ordinal"),
    pytest.param("pass\u2122word", id="trade-mark"),
    pytest.param("x\u00a0y1", id="no-break-space"),
    pytest.param("pa\u0308ss", id="decomposed"),
    pytest.param("so\u00adft", id="soft-hyphen"),
    pytest.param("\u0627a1", id="mixed-directions"),
    pytest.param("tab\tand\x07bell", id="controls"),
    pytest.param("open-\N{GRINNING FACE}", id="emoji"),
]


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("mechanism", ["plain", "login", "cram_md5"])
def test_a_password_arrives_as_it_was_typed(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
    password: str,
) -> None:
    """A server that compares bytes lets it in, whatever SASLprep would make of it."""
    server = start_tls(users={password: password})
    credentials = account(password, password)
    submit(server, security=Security.STARTTLS, credentials=credentials, mechanism=mechanism)
    assert [mail.username for mail in server.mails] == [password]


@pytest.mark.parametrize("prepares", [True, False], ids=["prepared", "as-typed"])
@pytest.mark.parametrize(
    "password", ["p\u00aass", "pass\u2122word", "x\u00a0y1", "pa\u0308ss", "so\u00adft"], ids=ascii
)
def test_scram_logs_in_whoever_prepared_the_password(
    start_sasl: Callable[..., SaslServer],
    submit: Callable[..., Receipt],
    account: Account,
    password: str,
    prepares: bool,
) -> None:
    """Some servers make SCRAM's keys of the prepared password, some of the typed one."""
    server = start_sasl(users={"ann": password}, prepares=prepares)
    settings = {"credentials": account("ann", password), "mechanism": "scram_sha_256"}
    submit(server, security=Security.STARTTLS, **settings)
    assert [mail.username for mail in server.mails] == ["ann"]


def test_a_password_of_one_spelling_is_tried_once_in_scram(
    start_sasl: Callable[..., SaslServer], submit: Callable[..., Receipt], account: Account
) -> None:
    """A wrong password costs one failed login, as servers count them."""
    server = start_sasl(users={"ann": "right"})
    settings = {"credentials": account("ann", "wr\u00f6ng"), "mechanism": "scram_sha_256"}
    with pytest.raises(AuthenticationFailed):
        submit(server, security=Security.STARTTLS, **settings)
    assert server.scram_logins == ["ann"]


NAME, PASSWORD = "andré", "pässwörd-密码"
DIGEST = hmac.new(PASSWORD.encode(), b"<1@mx>", "md5").hexdigest()
LINES = [
    ("plain", "", [f"\0{NAME}\0{PASSWORD}"]),
    ("login", "S: 334 \nC: \nS: 334 \nC: \n", [NAME, PASSWORD]),
    ("cram_md5", f"S: 334 {b64encode(b'<1@mx>').decode()}\nC: \n", [f"{NAME} {DIGEST}"]),
]


@pytest.mark.parametrize(("mechanism", "challenges", "responses"), LINES)
def test_the_bytes_are_utf_8(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
    challenges: str,
    responses: list[str],
) -> None:
    """Names and passwords of any letters are on the wire as base64 of UTF-8 (RFC 4616)."""
    server = play(f"{GREETS}C: AUTH\n{challenges}S: 454 later")
    with pytest.raises(EmailError):
        submit(server, credentials=account(NAME, PASSWORD), mechanism=mechanism)
    words = bytes(server.heard).partition(b"QUIT")[0].split()[-len(responses) :]
    assert [b64decode(word) for word in words] == [r.encode() for r in responses]


@pytest.mark.parametrize("value", ["canary\0-value", "canary\ud800"], ids=["nul", "surrogate"])
@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("mechanism", ["plain", "login", "cram_md5", "scram_sha_256"])
def test_what_cannot_be_sent_names_its_field(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
    field: str,
    value: str,
) -> None:
    """It is refused before AUTH, without showing the value, and never tried again."""
    server = play(GREETS)
    values = {"username": "ann", "password": "pass", field: value}
    with pytest.raises(RelayConfigurationError) as caught:
        submit(server, credentials=account(**values), mechanism=mechanism)
    text = str(caught.value)
    assert text.startswith(f"smtp://127.0.0.1:{server.port} (AUTH): {field}: contains a character")
    assert "canary" not in text
    assert not caught.value.transient
    assert b"AUTH" not in server.heard


def test_a_username_cannot_end_its_field_beside_a_token(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], account: Account
) -> None:
    """The control that separates the fields of XOAUTH2 is not one of a username."""
    server = play(GREETS)
    with pytest.raises(RelayConfigurationError, match="username: contains a character"):
        submit(server, credentials=account("ann\1auth=", "token"), mechanism="xoauth2")
