"""Whatever comes back over the wire: a receipt, a token, or an `EmailError`.

The examples are the same in every run. To look for new ones, let hypothesis make many::

    pytest tests/transports/http/test_hostile_wire.py --hypothesis-profile=search
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.sendgrid import SendGridConfig, SendGridTransport
from prefect_smtp_relay.transports.smtp import OAuthConfig
from prefect_smtp_relay.transports.smtp.auth.token_request import request_token
from tests.transports.sendgrid.api_server import ApiServer, raw, serve

KEY = "SG.canary-key.Zq7-never_shown"
VALUES = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [
            *(b"0", b"5", b"-1", b"99999999999999999999", b"chunked", b"gzip", b"close", b"100"),
            *(b"a=b; Domain=.org", b"\xff\xfe", b"x" * 70_000, b"http://[::1", KEY.encode()),
        ]
    ),
)
FIELDS = st.tuples(
    st.sampled_from(
        [
            *(b"Content-Length", b"Transfer-Encoding", b"Content-Encoding", b"Content-Type"),
            *(b"Connection", b"Location", b"Set-Cookie", b"Retry-After", b"Date", b"Upgrade"),
            *(b"X-Message-Id", b"X-RateLimit-Reset", b"", b"Bad Name", b"X-\xc3\xa4", b" Folded"),
        ]
    ),
    VALUES,
)
STATUS_LINES = st.one_of(
    st.integers(0, 1099).map(lambda code: b"HTTP/1.1 %03d Words" % code),
    st.sampled_from(
        [
            *(b"HTTP/1.1 202", b"HTTP/1.0 202 OK", b"HTTP/2 202 OK", b"HTTP/1.1 200 OK"),
            *(b"HTTP/1.1 101 Switching", b"HTTP/1.1 100 Continue", b"HTTP/1.1 2\xc2\xb22 OK", b""),
        ]
    ),
)


def _join(line: bytes, fields: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    head = [line, *(name + b": " + value for name, value in fields)]
    return b"\r\n".join([*head, b"", body])


ANSWERS = st.one_of(
    st.binary(max_size=200), st.builds(_join, STATUS_LINES, st.lists(FIELDS, max_size=4), VALUES)
)
# Each test has one server for all of its examples, and nothing that a new example should reset.
_one_server = settings(suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def api() -> Iterator[ApiServer]:
    """A server that writes the bytes of an example, and closes the connection."""
    with serve() as server:
        yield server
    process_memory.reset()


@pytest.fixture(scope="module")
def message() -> Message:
    """The mail of every example."""
    draft = compose("ann@example.org", subject="Disk full", text="Text", html="<p>HTML</p>")
    return draft.from_mailbox(Mailbox.parse("ops@example.com"))


@_one_server
@given(answer=ANSWERS)
def test_a_mail(api: ApiServer, message: Message, answer: bytes) -> None:
    """SendGrid's answer is read, or is an error that does not show the key."""
    api.answers = [raw(answer)]
    transport = SendGridTransport(SendGridConfig(SecretStr(KEY), api.url, timeout_seconds=5.0))
    try:
        shown = repr(transport.deliver(message, Envelope.of(message)))
    except EmailError as error:
        shown = f"{error!r} {error.__cause__!r}"
    assert "canary" not in shown


@_one_server
@given(answer=ANSWERS)
def test_a_token(api: ApiServer, answer: bytes) -> None:
    """A token endpoint's answer grants nothing that is not there, and shows no secret."""
    api.answers = [raw(answer)]
    oauth = OAuthConfig(api.url, "app", SecretStr(KEY), SecretStr(""))
    with pytest.raises(EmailError) as caught:
        request_token(oauth, oauth.refresh_token, "smtp://mx.example.org", 5.0)
    assert "canary" not in f"{caught.value!r} {caught.value.__cause__!r}"
