"""Whatever a server replies, a delivery ends with a receipt or with an error of ours."""

from __future__ import annotations

import pickle
import socketserver
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.redaction import visible
from prefect_smtp_relay.transports.smtp import Credentials, Security, SmtpConfig, SmtpTransport
from prefect_smtp_relay.transports.smtp.config import Mechanism
from tests.fuzz.many import many

_MESSAGE = compose("ann@example.org, bob@example.org", "s", text="t", html="").from_mailbox(
    Mailbox("ops", "example.com")
)
_LOGIN = Credentials(SecretStr("user"), SecretStr("s3cret-canary"))
_MECHANISMS: list[Mechanism | None] = [None, "plain", "login", "cram_md5", "scram_sha_256"]
_WORDS = st.lists(
    st.sampled_from(
        [
            *("SIZE", "SIZE=", "AUTH", "AUTH=", "PLAIN", "SCRAM-SHA-256", "8BITMIME", "PIPELINING"),
            *("SMTPUTF8", "LIMITS", "RCPTMAX=", "STARTTLS", "5.1.1", "4.7.1", "2.0.0", "9.9.9"),
            *("\u00b2", "9" * 5_000, "-1", "0", "1e9", "<ann@example.org>", "\x1b]0;x\x07", "\0"),
            *("\u2028", "\u202e", "secret", "user", "\x85", "\r", "="),
        ]
    )
    | st.text(max_size=6),
    max_size=6,
).map(" ".join)
_CODES = st.one_of(
    st.sampled_from(["220", "250", "354", "235", "334", "221", "421", "451", "550", "552", "554"]),
    st.integers(0, 999).map(str),
    st.text(max_size=3),
)
_LINES = st.builds("{}{}{}".format, _CODES, st.sampled_from(["-", " ", "", "\t"]), _WORDS)
_REPLIES = st.one_of(
    st.lists(_LINES, min_size=1, max_size=4).map(lambda lines: "\r\n".join(lines) + "\r\n"),
    _LINES.map(lambda line: f"{line}\n"),
    st.just("250-mx\r\n250-PIPELINING\r\n250-AUTH PLAIN LOGIN CRAM-MD5\r\n250 SIZE 9999\r\n"),
).map(lambda text: text.encode("utf-8", "surrogatepass"))
_GOOD = st.sampled_from(
    [b"220 mx\r\n", b"250 ok\r\n", b"235 ok\r\n", b"354 go on\r\n", b"334 \r\n"]
)
DIALOGUES = st.lists(_GOOD | _REPLIES, max_size=10)


class FuzzingServer(socketserver.ThreadingTCPServer):
    """Answers each line with the next of its replies, and closes after the last."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Dialogue)
        self.port: int = self.server_address[1]
        self.replies: list[bytes] = []


class _Dialogue(socketserver.StreamRequestHandler):
    server: FuzzingServer
    timeout = 0.05  # a client that waits for the rest of a reply is hung up on

    def handle(self) -> None:
        line = b""
        with suppress(OSError):
            for reply in [b"220 mx.test\r\n", *self.server.replies]:
                self.wfile.write(reply)
                has_body = line[:4].upper() == b"DATA" and reply.startswith(b"354")
                line = self.rfile.readline()
                while has_body and line and line != b".\r\n":
                    line = self.rfile.readline()


@pytest.fixture(scope="module")
def server() -> Iterator[FuzzingServer]:
    """A server whose replies each example sets."""
    with FuzzingServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@many
@given(DIALOGUES, st.sampled_from(_MECHANISMS))
def test_any_replies(
    server: FuzzingServer, replies: list[bytes], mechanism: Mechanism | None
) -> None:
    """The error can be logged, shown and pickled, and does not repeat the password."""
    server.replies = replies
    config = SmtpConfig(
        "127.0.0.1",
        server.port,
        Security.PLAIN_TEXT,
        credentials=_LOGIN if mechanism else None,
        mechanism=mechanism or "plain",
        timeout_seconds=5.0,
    )
    try:
        receipt = SmtpTransport(config).deliver(_MESSAGE, Envelope.of(_MESSAGE))
        shown = f"{receipt.response}{receipt.refused}"
    except EmailError as error:
        shown = str(pickle.loads(pickle.dumps(error)))  # noqa: S301  # our own
        assert shown == str(error)  # noqa: PT017  # that it ends is the point, not how
    finally:
        process_memory.reset()
    assert " ".join(filter(None, shown.split(" "))) == visible(shown)
    assert "s3cret-canary" not in shown
