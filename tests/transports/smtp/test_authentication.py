"""PLAIN, LOGIN and CRAM-MD5: exactly the chosen one, with any password, and no secret in errors."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import AuthenticationFailed, EmailError
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp import Credentials, Security

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

Account = Callable[..., Credentials]
EVERY = pytest.mark.parametrize("mechanism", ["plain", "login", "cram_md5"])
WIRE_NAMES = {"plain": "PLAIN", "login": "LOGIN", "cram_md5": "CRAM-MD5"}
OFFERS_ALL = """
S: 220 mx.test
C: EHLO
S: 250-mx.test
S: 250 AUTH PLAIN LOGIN CRAM-MD5
"""


@EVERY
@pytest.mark.parametrize("password", ["pass", "pässwörd-密码", ' "%\\ ', "x" * 200])
def test_the_right_password_is_accepted(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
    password: str,
) -> None:
    """Each mechanism logs in with any password, and only the chosen one is used."""
    server = start_tls(users={"ann": password})
    settings = {"credentials": account("ann", password), "mechanism": mechanism}
    submit(server, security=Security.STARTTLS, **settings)
    (mail,) = server.mails
    assert (mail.mechanism, mail.username) == (WIRE_NAMES[mechanism], "ann")


@EVERY
def test_a_wrong_password_is_refused(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
) -> None:
    """The error carries the server's 535 5.7.8, says which fields to check, and never passes."""
    server = start_tls(users={"ann": "right"})
    credentials = account("ann", "canary-password")
    with pytest.raises(AuthenticationFailed) as caught:
        submit(server, security=Security.STARTTLS, credentials=credentials, mechanism=mechanism)
    error = caught.value
    assert (error.code, error.enhanced_code, error.stage) == (535, "5.7.8", "AUTH")
    assert str(error).endswith("and *Authentication* (`authentication`) in the block.")
    assert not error.transient
    assert "canary" not in str(error)
    assert server.mails == []


@EVERY
def test_a_mechanism_that_is_not_offered(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
) -> None:
    """No other mechanism is tried; the error names those that the server offers."""
    others = [name for name in WIRE_NAMES.values() if name != WIRE_NAMES[mechanism]]
    server = start_tls(users={"ann": "pass"}, mechanisms=others)
    credentials = account("ann", "pass")
    with pytest.raises(AuthenticationFailed) as caught:
        submit(server, security=Security.STARTTLS, credentials=credentials, mechanism=mechanism)
    assert all(name in str(caught.value) for name in others)
    assert "Set *Authentication*" in str(caught.value)
    assert server.mails == []


def test_no_authentication_offered(
    start_tls: Callable[..., MailServer], submit: Callable[..., Receipt], account: Account
) -> None:
    """A server without AUTH is an error that names both ways out."""
    server = start_tls()
    with pytest.raises(AuthenticationFailed, match=r"offers no authentication.*clear \*Username\*"):
        submit(server, security=Security.STARTTLS, credentials=account("ann", "pass"))


def test_authentication_is_not_tried_without_credentials(
    start_tls: Callable[..., MailServer], submit: Callable[..., Receipt]
) -> None:
    """A server that offers AUTH gets mail without it where no username is set."""
    server = start_tls(users={"ann": "pass"})
    submit(server, security=Security.STARTTLS)
    assert [mail.mechanism for mail in server.mails] == [""]


AUTH_FAULTS = [
    # mechanism, what the server does, transient, words of the error
    ("plain", "C: AUTH PLAIN\nS: 454 4.7.0 try later", True, "454 4.7.0 try later"),
    ("plain", "C: AUTH PLAIN", True, "closed the connection"),
    ("plain", "C: AUTH PLAIN\nS: 334 ", False, "Check *Username*"),
    ("plain", "C: AUTH PLAIN\nS: 534 5.7.9 no", False, "app password"),
    ("login", "C: AUTH LOGIN\nS: 535 5.7.8 not you", False, "Check *Username*"),
    (
        "login",
        "C: AUTH LOGIN\nS: 334 \nC: \nS: 535 5.7.8 no",
        False,
        "Check *Username*",
    ),
    (
        "login",
        "C: AUTH LOGIN\nS: 334 \nC: \nS: 334 \nC: \nS: 334 ",
        False,
        "Check *Username*",
    ),
    ("cram_md5", "C: AUTH CRAM-MD5\nS: 334 !!!!", False, "challenge is not base64"),
    ("cram_md5", "C: AUTH CRAM-MD5\nS: 334 é", False, "challenge is not base64"),
    ("cram_md5", "C: AUTH CRAM-MD5\nS: 334 abc", False, "challenge is not base64"),
]


@pytest.mark.parametrize(("mechanism", "script", "transient", "words"), AUTH_FAULTS)
def test_faults_in_authentication(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
    script: str,
    transient: bool,
    words: str,
) -> None:
    """Whatever goes wrong in AUTH says so, and whether it may pass later, without the password."""
    server = play(OFFERS_ALL + script)
    with pytest.raises(EmailError) as caught:
        submit(server, credentials=account("ann", "canary-password"), mechanism=mechanism)
    text = str(caught.value)
    assert caught.value.transient is transient
    assert words in text
    assert text.startswith(f"smtp://127.0.0.1:{server.port} (AUTH): ")
    assert "canary" not in text
    assert isinstance(caught.value, AuthenticationFailed) is not transient


@pytest.mark.parametrize(
    ("offer", "words"),
    [
        ("GSSAPI NTLM", "offers only GSSAPI, NTLM, which no block can be set to. Ask its"),
        ("GSSAPI LOGIN", "does not offer PLAIN, but LOGIN. Set *Authentication*"),
    ],
)
def test_only_what_a_block_can_do_is_advised(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    offer: str,
    words: str,
) -> None:
    """Nobody is told to set a mechanism that the form does not have."""
    server = play(f"S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 AUTH {offer}\nANSWER 221 bye")
    with pytest.raises(AuthenticationFailed) as caught:
        submit(server, credentials=account("ann", "pass"), mechanism="plain")
    assert words in str(caught.value)


@pytest.mark.parametrize("answer", ["535 5.7.8 no: {}", "no reply: {}"])
@pytest.mark.parametrize("mechanism", ["plain", "login"])
def test_a_server_that_repeats_the_password(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
    answer: str,
) -> None:
    """An answer that quotes what it was told is shown without the password, in any form of it."""
    told = {
        "plain": b64encode(b"\0ann\0canary-password").decode(),
        "login": b64encode(b"canary-password").decode(),
    }[mechanism]
    challenges = "S: 334 \nC: \nS: 334 \nC: \n" if mechanism == "login" else ""
    says = answer.format(f"{told} / canary-password")
    server = play(f"{OFFERS_ALL}C: AUTH\n{challenges}S: {says}")
    with pytest.raises(EmailError) as caught:
        submit(server, credentials=account("ann", "canary-password"), mechanism=mechanism)
    assert "*** / ***" in str(caught.value)
    assert "canary" not in str(caught.value)
    assert told not in str(caught.value)
