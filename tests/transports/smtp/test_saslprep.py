"""SASLprep: the examples of RFC 4013, and what reaches the wire in each mechanism."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.exceptions import EmailError, RelayConfigurationError
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp import Credentials, Security
from prefect_smtp_relay.transports.smtp.auth.saslprep import saslprep

if TYPE_CHECKING:
    from .sasl_server import SaslServer
    from .scripted_server import ScriptedServer

Account = Callable[..., Credentials]
GREETS = "S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 XOAUTH2\n"


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),  # the first four are those of RFC 4013, section 3
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b\u3000c", "a b c"),
        ("e\u0301", "é"),
        (" kept ", " kept "),
        ("\u0627\u0628\u0627", "\u0627\u0628\u0627"),
        ("\N{GRINNING FACE}", "\N{GRINNING FACE}"),
    ],
)
def test_what_is_mapped(text: str, prepared: str) -> None:
    """Blanks become one kind, invisible characters vanish, and the rest is NFKC; emoji pass."""
    assert saslprep(text) == prepared


@pytest.mark.parametrize(
    "text",
    [
        *("\u0007", "\0", "a\nb", "\u0627\u0031", "a\u0627", "\u0627a\u0627", "\ue000", "\ud800"),
        *("\ufffd", "\u200e", "\U000e0001", "\ufffe", "\u2ff0", "", "\u00ad"),
    ],
)
def test_what_is_prohibited(text: str) -> None:
    """Controls, private use, surrogates, mixed directions and nothing at all are refused."""
    with pytest.raises(ValueError, match=r"^(holds|mixes)"):
        saslprep(text)


@given(st.text())
def test_preparing_again_changes_nothing(text: str) -> None:
    """What was prepared is its own preparation, and any text is prepared or refused."""
    try:
        prepared = saslprep(text)
    except ValueError:
        return
    assert saslprep(prepared) == prepared
    assert prepared.encode()


@pytest.mark.parametrize("text", ["\N{GRINNING FACE}", "\u0221"])
def test_a_stored_string_holds_no_unassigned_character(text: str) -> None:
    """What Unicode 3.2 does not know passes in a query only (RFC 3454, section 7)."""
    assert saslprep(text) == text
    with pytest.raises(ValueError, match="does not permit"):
        saslprep(text, is_stored=True)


@pytest.mark.parametrize("mechanism", ["plain", "login", "cram_md5"])
def test_another_spelling_of_a_password_is_accepted(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
) -> None:
    """An account whose name and password are composed is reached by their decomposed spelling."""
    server = start_tls(users={"andré": "pässwörd IX"})
    credentials = account("andre\u0301", "pa\u0308sswo\u0308rd\u00a0\u2168")
    submit(server, security=Security.STARTTLS, credentials=credentials, mechanism=mechanism)
    assert [mail.username for mail in server.mails] == ["andré"]


def test_another_spelling_in_scram(
    start_sasl: Callable[..., SaslServer], submit: Callable[..., Receipt], account: Account
) -> None:
    """SCRAM proves the prepared password."""
    server = start_sasl(users={"andré": "pässwörd"})
    credentials = account("andre\u0301", "pa\u0308sswo\u0308rd")
    settings = {"credentials": credentials, "mechanism": "scram_sha_256"}
    submit(server, security=Security.STARTTLS, **settings)
    assert [mail.username for mail in server.mails] == ["andré"]


NAME, PASSWORD = "andré", "pässwörd-密码"
DIGEST = hmac.new(PASSWORD.encode(), b"<1@mx>", "md5").hexdigest()
OCTETS = [
    ("plain", "", [f"\0{NAME}\0{PASSWORD}"]),
    ("login", "S: 334 \nC: \nS: 334 \nC: \n", [NAME, PASSWORD]),
    ("cram_md5", f"S: 334 {b64encode(b'<1@mx>').decode()}\nC: \n", [f"{NAME} {DIGEST}"]),
]


@pytest.mark.parametrize(("mechanism", "challenges", "responses"), OCTETS)
def test_the_octets_are_utf_8(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
    challenges: str,
    responses: list[str],
) -> None:
    """Names and passwords of any letters stand on the wire as base64 of UTF-8 (RFC 4616)."""
    server = play(f"{GREETS}C: AUTH\n{challenges}S: 454 later")
    with pytest.raises(EmailError):
        submit(server, credentials=account(NAME, PASSWORD), mechanism=mechanism)
    words = bytes(server.heard).partition(b"QUIT")[0].split()[-len(responses) :]
    assert [b64decode(word) for word in words] == [r.encode() for r in responses]


@pytest.mark.parametrize("spelling", ["canary-pässwörd", "canary-pa\u0308sswo\u0308rd"])
@pytest.mark.parametrize("mechanism", ["plain", "login"])
def test_a_server_that_repeats_either_spelling(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
    spelling: str,
) -> None:
    """Neither what the person wrote nor what was prepared of it is shown."""
    challenges = "S: 334 \nC: \nS: 334 \nC: \n" if mechanism == "login" else ""
    server = play(f"{GREETS}C: AUTH\n{challenges}S: 535 you said {spelling}")
    credentials = account("ann", "canary-pa\u0308sswo\u0308rd")
    with pytest.raises(EmailError, match=r"you said \*\*\*") as caught:
        submit(server, credentials=credentials, mechanism=mechanism)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("mechanism", ["plain", "login", "cram_md5", "scram_sha_256"])
def test_a_forbidden_character_names_its_field(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Account,
    mechanism: str,
    field: str,
) -> None:
    """It is refused before AUTH, without showing the value, and never tried again."""
    server = play(GREETS)
    values = {"username": "ann", "password": "pass", field: "canary\0-value"}
    with pytest.raises(RelayConfigurationError) as caught:
        submit(server, credentials=account(**values), mechanism=mechanism)
    text = str(caught.value)
    assert text.startswith(f"smtp://127.0.0.1:{server.port} (AUTH): {field}: holds a control")
    assert "canary" not in text
    assert not caught.value.transient
    assert b"AUTH" not in server.heard
