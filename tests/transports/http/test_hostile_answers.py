"""Whatever SendGrid or a token endpoint answers: an `EmailError` at most, that can be shown.

The examples are the same in every run. To look for new ones, let hypothesis make many::

    pytest tests/transports/http/test_hostile_answers.py --hypothesis-profile=search
"""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.transports.redaction import Redactor, visible
from prefect_smtp_relay.transports.sendgrid import SendGridConfig
from prefect_smtp_relay.transports.sendgrid.answer import Answer
from prefect_smtp_relay.transports.sendgrid.errors import refusal
from prefect_smtp_relay.transports.smtp import OAuthConfig
from prefect_smtp_relay.transports.smtp.auth.token_answer import TokenAnswer

KEY = "SG.canary-key.Zq7-never_shown"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONFIG = SendGridConfig(SecretStr(KEY))
OAUTH = OAuthConfig("https://id.example.org/t", "app", SecretStr(KEY), SecretStr(""))
REDACTOR = Redactor([KEY])
TEXTS = st.one_of(
    st.text(st.characters()),  # half characters included
    st.sampled_from([KEY, KEY[4:-4], "\x1b]0;x\x07", "\u202e", "\u2028", "\x9b31m", "\ud800", "0"]),
)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([10**400, -(10**400), 10**4000, 1e308, "1e999", "\u00b2", "1_0", True]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
STATUSES = st.one_of(st.integers(100, 999), st.sampled_from([200, 400, 401, 403, 429, 503]))
CODES = ("utf-8", "utf-16", "utf-32", "ascii")


def write(document: Any, code: str) -> bytes:
    """Write JSON, half characters too."""
    return json.dumps(document, ensure_ascii=code == "ascii").encode(code, "surrogatepass")


def bodies(*names: str) -> st.SearchStrategy[bytes]:
    """Answers with fields of these names, whatever is in them, and anything else."""
    fields = st.fixed_dictionaries({}, optional=dict.fromkeys(names, JSON | TEXTS | NUMBERS))
    documents = st.one_of(fields, st.fixed_dictionaries({"errors": st.lists(fields)}), JSON)
    return st.one_of(
        st.binary(),
        st.builds(write, documents, st.sampled_from(CODES)),
        st.builds(
            lambda data, cut: data[:cut],
            st.builds(write, documents, st.just("utf-8")),
            st.integers(0, 60),
        ),
        st.sampled_from([b"[" * 60_000, b'{"a":' * 20_000, b"<" * 60_000, b"9" * 5_000]),
    )


def check_error(error: EmailError) -> None:
    """It survives a pickle, and can be shown."""
    check_shown(str(error))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own pickle


def check_shown(text: str) -> None:
    """A log, a terminal and an API take it, and it says nothing that is ours to hide."""
    assert text == visible(text)
    assert not REDACTOR.hides(text)
    text.encode()


@given(STATUSES, bodies("access_token", "expires_in", "refresh_token", "error"), st.booleans())
def test_an_answer_of_a_token_endpoint(status: int, body: bytes, is_refresh: bool) -> None:
    """It grants a token that can be sent, for a time between none and a day, or is an error."""
    answer = TokenAnswer(status, body, OAUTH, is_refresh, REDACTOR)
    try:
        grant = answer.read_grant("smtp://mx.example.org:587")
    except EmailError as error:
        check_error(error)
        return
    assert 0 <= grant.lifetime_seconds <= 86_400
    assert grant.access_token.get_secret_value().isascii()
    assert grant.refresh_token is None or grant.refresh_token.get_secret_value().isascii()


NAMES = ("retry-after", "x-ratelimit-reset", "date", "x-message-id", "content-encoding")
HEADERS = st.dictionaries(
    st.sampled_from(NAMES),
    st.one_of(
        st.text(st.characters(max_codepoint=255)),
        st.integers().map(str),
        st.datetimes().map(lambda moment: f"{moment:%a, %d %b %Y %H:%M:%S} GMT"),
        st.sampled_from(["Wed, 01 Jan 0001 00:00:00 +2359", "9" * 400, "\u00b2", KEY]),
    ),
)


@given(STATUSES, HEADERS, bodies("message", "field", "help"))
def test_an_answer_of_sendgrid(status: int, headers: dict[str, str], body: bytes) -> None:
    """It is an error that can be shown, and waits a number of seconds or none."""
    answer = Answer(status, headers, body, REDACTOR)
    error = refusal(answer, CONFIG)
    check_error(error)
    check_shown(answer.provider_id)
    assert error.retry_after is None or error.retry_after >= 0


@given(TEXTS, st.lists(TEXTS, max_size=3), st.lists(TEXTS, max_size=3))
def test_the_redactor_takes_any_text(text: str, secrets: list[str], addresses: list[str]) -> None:
    """No secret is in what it gives back, but for short ones within longer words."""
    redact = Redactor(secrets, addresses=addresses)
    shown = redact(text)
    assert not [secret for secret in secrets if len(secret) >= 6 and secret in shown]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\r\n lines", "two lines"),
        (" a\tb ", "a b"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\x00b\x7f", r"a\x00b\x7f"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("txt.\u202egpj", r"txt.\u202egpj"),
        ("\u2066a\u2069\u200f\u061c", r"\u2066a\u2069\u200f\u061c"),
        ("half \ud83d", r"half \ud83d"),
        ("Zoë 障害 🔥 \N{FAMILY}", "Zoë 障害 🔥 \N{FAMILY}"),
    ],
    ids=range(10),
)
def test_hidden_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    """What a terminal obeys, or what reorders a line, is shown; letters of all kinds stay."""
    assert visible(text) == shown
