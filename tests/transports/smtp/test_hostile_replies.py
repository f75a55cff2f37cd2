"""Whatever a server answers, nothing but `EmailError` leaves the transport, and no text misleads.

The examples are the same in every run; ``--hypothesis-profile=search`` makes many new ones.
"""

from __future__ import annotations

import logging
import pickle
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import EmailError, MessageTooLarge
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.base import logger
from prefect_smtp_relay.transports.smtp import (
    Credentials,
    Limits,
    Security,
    SmtpConfig,
    SmtpTransport,
)
from prefect_smtp_relay.transports.smtp.check import check_smtp, confusions

from .hostile_server import HostileServer

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

OPS = Mailbox("ops", "example.com", "Ops")
QUICK = Limits(final_reply_seconds=0.3, next_reply_seconds=0.3, pauses_seconds=())
CREDENTIALS = Credentials(SecretStr("ann"), SecretStr("pass-canary-8d2e6a3f"))
ODD = [
    *("", " ", "-", "²", "9" * 5000, "-1", "1e9", "٣", "0x10", "*", "=", "=="),
    *(
        "\x00",
        "\x1b]0;owned\x07",
        "\x9b31m",
        "\x85",
        "\u2028",
        "\u2029",
        "\u202e",
        "\u2066",
        "\ufeff",
    ),
    *("5.\u0661.1 no", "4.7.1 greylisted", "5.7.1 blocked using zen", "HELO", "sender", "relay"),
    *("<ann@example.org>", "a" * 600, "%s {} \\n"),
]
OFFERS = [
    *("PIPELINING", "8BITMIME", "SMTPUTF8", "STARTTLS", "SIZE", "LIMITS RCPTMAX=1", "AUTH=PLAIN"),
    *("AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 XOAUTH2", "AUTH\tLOGIN", "X-\u202e", ""),
    *("SIZE ²", "SIZE " + "9" * 5000, "SIZE -1", "LIMITS RCPTMAX=٣", "LIMITS RCPTMAX=" + "9" * 99),
]
CHALLENGES = [
    *("", "!!!!", "é", "PDEyMz4=", "VXNlcm5hbWU6", b64encode(b"\xff\xfe").decode()),
    *(
        b64encode(text).decode()
        for text in (b"r=x,s=eA==,i=99999999999", b'{"status": 10}', b"e=x")
    ),
]
# How a conversation goes that goes well; each answer may be replaced.
STEPS = (220, 250, 334, 334, 235, 250, 250, 250, 354, 250, 221)


def _lines(code: int, texts: list[str]) -> bytes:
    *first, last = texts
    lines = [f"{code}-{text}" for text in first] + [f"{code} {last}"]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")


TEXTS = st.sampled_from([*ODD, *OFFERS, *CHALLENGES]) | st.text(max_size=20)
ODD_ANSWERS = (
    st.builds(_lines, st.integers(200, 599), st.lists(TEXTS, min_size=1, max_size=4))
    | st.binary(max_size=30)
    | st.sampled_from(
        [b"", b"250", b"250\n", b"250-\r\n", b"2\xb252 ok\r\n", b"999 x\r\n", b"421 x\r\n"]
    )
)


def _usual(code: int) -> st.SearchStrategy[bytes]:
    texts = st.lists(st.sampled_from(OFFERS), max_size=6).map(lambda offers: ["mx.test", *offers])
    if code == 334:
        texts = st.sampled_from(CHALLENGES).map(lambda challenge: [challenge])
    return st.builds(_lines, st.just(code), texts)


CONVERSATIONS = st.tuples(
    *(st.one_of(_usual(code), _usual(code), _usual(code), ODD_ANSWERS) for code in STEPS)
)
MECHANISMS = st.sampled_from(["", "plain", "login", "cram_md5", "scram_sha_256", "xoauth2"])
_one_server = settings(suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def hostile() -> Iterator[HostileServer]:
    """One server for all examples."""
    with HostileServer() as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def _no_other_port() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(confusions, "_SUBMISSION_PORTS", {})
        yield


def config_for(server: HostileServer, mechanism: str) -> SmtpConfig:
    """Settings with short limits; with a mechanism, credentials too."""
    more: dict[str, Any] = {"mechanism": mechanism, "credentials": CREDENTIALS} if mechanism else {}
    return SmtpConfig(
        server.host,
        server.port,
        Security.PLAIN_TEXT,
        timeout_seconds=0.3,
        limits=QUICK,
        allow_cleartext_auth=True,
        **more,
    )


def answers_for(mechanism: str, answers: tuple[bytes, ...]) -> list[bytes]:
    """Leave out those to AUTH where nobody logs in."""
    steps = zip(STEPS, answers, strict=True)
    return [answer for code, answer in steps if mechanism or code not in (334, 235)]


def message() -> Message:
    """Two recipients, one of them in Bcc."""
    draft = compose("ann@example.org", ".", text="t", html="<p>t</p>", bcc="ben@example.org")
    return draft.from_mailbox(OPS)


def is_clean(text: str) -> bool:
    """Whether a text is one that a log, a terminal and a reader can take."""
    return text.isprintable() and "canary" not in text and "ben@example.org" not in text


@_one_server
@given(CONVERSATIONS, MECHANISMS)
def test_a_delivery_ends_in_a_receipt_or_an_error(
    hostile: HostileServer, answers: tuple[bytes, ...], mechanism: str
) -> None:
    """No other exception escapes, and no control character, secret or Bcc address shows."""
    process_memory.reset()
    hostile.answers = answers_for(mechanism, answers)
    mail = message()
    transport = SmtpTransport(config_for(hostile, mechanism))
    (result,) = transport.deliver_all([(mail, Envelope.of(mail))])
    if isinstance(result, EmailError):
        assert is_clean(str(result))
        assert str(pickle.loads(pickle.dumps(result))) == str(result)  # noqa: S301  # our own
    else:
        assert is_clean(result.response + str(result.refused))


@settings(_one_server, max_examples=settings().max_examples // 4)
@given(CONVERSATIONS, MECHANISMS)
def test_a_check_ends_in_a_report(
    hostile: HostileServer, answers: tuple[bytes, ...], mechanism: str
) -> None:
    """Each step is told in words that a terminal can take."""
    process_memory.reset()
    hostile.answers = answers_for(mechanism, answers)
    report = check_smtp(config_for(hostile, mechanism), OPS, None)
    for step in report.steps:
        assert is_clean(step.detail)


@pytest.mark.parametrize(
    "size", ["²", "9" * 5000, "٣", "-1", "1e3", "1_000", "0x10", "100 bytes", ""]
)
def test_a_size_that_is_not_a_number_is_no_limit(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], size: str
) -> None:
    """Digits of other scripts, too many of them and other words are passed over."""
    receipt = submit(play(f"S: 220 mx.test\nEHLO SIZE {size}\nSERVE"))
    assert receipt.accepted == ("ann@example.org",)


def test_a_size_of_twenty_digits_is_a_limit(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """RFC 1870, section 4, permits so many, zeros at the beginning among them."""
    with pytest.raises(MessageTooLarge, match=r"takes 100\. Attach less"):
        submit(play(f"S: 220 mx.test\nEHLO SIZE {'100':0>20}\nSERVE"))


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        (r"\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        (r"\xc2\x9b31m", r"\x9b31m"),
        (r"\xe2\x80\xa8", r"\u2028"),
        (r"\xe2\x80\xa9", r"\u2029"),
        (r"\xe2\x80\xae", r"\u202e"),
        (r"\xe2\x81\xa6", r"\u2066"),
        (r"\x00", r"\x00"),
    ],
)
@pytest.mark.parametrize(
    "script",
    [
        "RAW 554 5.7.1 {}\\r\\n",
        "S: 220 mx.test\nC: EHLO\nRAW 250-mx\\r\\n250 AUTH {}\\r\\n\nANSWER 503 no | QUIT 221 bye",
        "S: 220 mx.test\nEHLO AUTH PLAIN\nC: AUTH\nRAW 535 5.7.8 {}\\r\\n\nANSWER 221 bye",
        "RAW {}\\r\\n",
    ],
    ids=["greeting", "mechanisms", "login", "grammar"],
)
def test_control_characters_are_shown_as_escapes(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    character: str,
    shown: str,
) -> None:
    """Escapes, C1 controls, separators and bidirectional controls reach no terminal."""
    monkeypatch.setattr(logger, "filters", [])
    caplog.set_level(logging.DEBUG, "prefect_smtp_relay")
    with pytest.raises(EmailError) as caught:
        submit(play(script.format(character)), credentials=CREDENTIALS, allow_cleartext_auth=True)
    text = str(caught.value)
    assert shown.lower() in text.lower()
    assert text.isprintable()
    assert all(record.getMessage().isprintable() for record in caplog.records)
