"""XOAUTH2 and OAUTHBEARER with an access token as password: the octets, and every refusal."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    CleartextRefused,
    EmailError,
    RelayConfigurationError,
)
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.smtp import Credentials, Security
from prefect_smtp_relay.transports.smtp.session import session

if TYPE_CHECKING:
    from .sasl_server import SaslServer
    from .scripted_server import ScriptedServer

Account = Callable[..., Credentials]
NAME = "ann,=@example.org"
TOKEN = "ya29.canary-token_~+/=="
EVERY = pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
WIRE_NAMES = {"xoauth2": "XOAUTH2", "oauthbearer": "OAUTHBEARER"}
GREETS = "S: 220 mx.test\nC: EHLO\nS: 250-mx.test\nS: 250 AUTH PLAIN XOAUTH2 OAUTHBEARER\n"
TAKES_A_MAIL = (
    "S: 235 ok\nC: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\nS: 354 go\nBODY\nS: 250 ok\n"
    "C: QUIT\nS: 221 bye"
)


def _start(start_sasl: Callable[..., SaslServer], *tokens: str) -> SaslServer:
    return start_sasl(users={"somebody": "else"}, tokens=set(tokens))


@EVERY
def test_a_good_token_is_accepted(
    start_sasl: Callable[..., SaslServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
) -> None:
    """The initial response has the octets of Google's page, or of RFC 7628, section 3.1."""
    server = _start(start_sasl, TOKEN)
    settings = {"credentials": account(NAME, TOKEN), "mechanism": mechanism}
    submit(server, security=Security.STARTTLS, **settings)
    (mail,) = server.mails
    assert mail.mechanism == WIRE_NAMES[mechanism]
    assert server.initial_responses == [
        {
            "xoauth2": f"user={NAME}\1auth=Bearer {TOKEN}\1\1",
            "oauthbearer": "n,a=ann=2C=3D@example.org,\1host=127.0.0.1\1"
            f"port={server.port}\1auth=Bearer {TOKEN}\1\1",
        }[mechanism]
    ]


@EVERY
def test_a_refused_token_is_acknowledged_and_explained(
    start_sasl: Callable[..., SaslServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
) -> None:
    """The error has the words of the 334's JSON and the codes of the 535, and not the token."""
    server = _start(start_sasl)
    with pytest.raises(AuthenticationFailed) as caught:
        submit(
            server,
            security=Security.STARTTLS,
            credentials=account(NAME, TOKEN),
            mechanism=mechanism,
        )
    error, text = caught.value, str(caught.value)
    assert server.farewells == [{"xoauth2": b"", "oauthbearer": b"\1"}[mechanism]]
    assert (error.code, error.enhanced_code, error.stage) == (535, "5.7.8", "AUTH")
    assert "(status 401, schemes bearer, scope https://mail.test/, got ***)" in text
    assert "The access token in *Password* (`password`) has expired" in text
    assert "canary" not in text
    assert not error.transient


REFUSALS = [
    # what the server says, transient, words of the error
    ("S: 334 \nC: \nS: 535 5.7.8 no", False, "535 5.7.8 no. The access token"),
    ("S: 334 !!!\nC: \nS: 535 5.7.8 no", False, "535 5.7.8 no. The access token"),
    (f"S: 334 {b64encode(b'[1]').decode()}\nC: \nS: 535 no", False, "535 no. The access token"),
    ("S: 535 5.7.3 Authentication unsuccessful", False, "5.7.3 Authentication unsuccessful. The"),
    (
        "S: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled",
        False,
        "Authenticated SMTP is switched off",
    ),
    ("S: 454 4.7.0 later", True, "454 4.7.0 later. The relay asks to try again later."),
    ("S: 334 \nC: ", True, "closed the connection"),
    (f"S: 535 you said {TOKEN}", False, "535 you said ***"),
]


@EVERY
@pytest.mark.parametrize(("says", "transient", "words"), REFUSALS)
def test_other_refusals(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
    says: str,
    transient: bool,
    words: str,
) -> None:
    """Whatever the server answers is shown with what to change, and whether it may pass later."""
    server = play(f"{GREETS}C: AUTH {WIRE_NAMES[mechanism]} \n{says}")
    with pytest.raises(EmailError) as caught:
        submit(server, credentials=account(NAME, TOKEN), mechanism=mechanism)
    assert words in str(caught.value)
    assert caught.value.transient is transient
    assert "canary" not in str(caught.value)


@EVERY
def test_a_token_is_not_shown_to_the_network(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without encryption, nothing of it is written to a server elsewhere."""
    monkeypatch.setattr(session, "is_loopback", lambda _: False)
    server = play(GREETS)
    with pytest.raises(CleartextRefused, match="would show the access token"):
        submit(server, credentials=account(NAME, TOKEN), mechanism=mechanism)
    assert b"AUTH" not in server.heard


@pytest.mark.parametrize("surplus", [0, 1])
def test_a_long_token_goes_over_the_wire_whole(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    surplus: int,
) -> None:
    """Up to 12,288 octets stand on the line of AUTH (RFC 4954, section 4), more on the next."""
    room = 12288 - len("AUTH XOAUTH2 \r\n")
    octets = room // 4 * 3 - len("user=ann\1auth=Bearer \1\1") + surplus
    token = "t" * octets
    challenge = "S: 334 \nC: dXNlcj1hbm4B" if surplus else ""
    opening = "C: AUTH XOAUTH2" if surplus else "C: AUTH XOAUTH2 dXNlcj1hbm4B"
    server = play(f"{GREETS}{opening}\n{challenge}\n{TAKES_A_MAIL}".replace("\n\n", "\n"))
    submit(server, credentials=account("ann", token), mechanism="xoauth2")
    lines = server.heard.split(b"\r\n")
    (said,) = [line for line in lines if b"dXNlcj1hbm4B" in line]
    assert b64decode(said.split()[-1]) == f"user=ann\1auth=Bearer {token}\1\1".encode()
    assert (len(said) + 2 <= 12288) or surplus


@pytest.mark.parametrize("token", ["two words", "line\nend", "with\1control", "tökén"])
@EVERY
def test_what_is_no_token_is_refused_before_auth(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
    token: str,
) -> None:
    """A value that could bring in parameters of its own never reaches the wire or the error."""
    server = play(GREETS)
    with pytest.raises(RelayConfigurationError, match="password: is not an access token") as caught:
        submit(server, credentials=account(NAME, token), mechanism=mechanism)
    assert b"AUTH" not in server.heard
    assert token not in str(caught.value)


def test_a_refusal_of_many_words_is_cut(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], account: Account
) -> None:
    """What the JSON says becomes one printable line of a bounded length."""
    told = b64encode(json.dumps({"status": "4\r\n\x1b[31m" + "x" * 2000}).encode()).decode()
    server = play(f"{GREETS}C: AUTH XOAUTH2 \nS: 334 {told}\nC: \nS: 535 no")
    with pytest.raises(AuthenticationFailed) as caught:
        submit(server, credentials=account(NAME, TOKEN), mechanism="xoauth2")
    assert len(str(caught.value)) < 1000
    assert str(caught.value).isprintable()


def test_a_check_names_the_kind_of_secret_that_is_wanted(
    play: Callable[..., ScriptedServer], check: Callable[..., Report], account: Account
) -> None:
    """A password is not recommended in place of a token, but the other mechanism for tokens is."""
    credentials = account("ann", "canary-token")
    ending = "C: QUIT\nS: 221 bye"
    settings = {"security": Security.PLAIN_TEXT, "credentials": credentials, "mechanism": "xoauth2"}
    passwords = play(f"S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 AUTH PLAIN\n{ending}")
    report = check(passwords, **settings)
    assert "The server takes passwords only" in report.recommendation.words[-1]
    assert report.recommendation.settings == {}
    other = play(f"S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 AUTH PLAIN OAUTHBEARER\n{ending}")
    assert check(other, **settings).recommendation.settings == {"authentication": "oauthbearer"}
