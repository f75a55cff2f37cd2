"""One SMTP session: greeting, EHLO, STARTTLS, AUTH, transactions, QUIT (RFC 5321, section 3)."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prefect_smtp_relay.exceptions import EmailError, TlsFailed
from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.errors import FINAL_REPLY, refused, translate
from prefect_smtp_relay.transports.smtp.hints import NO_STARTTLS
from prefect_smtp_relay.transports.smtp.reply import MalformedReply, Reply
from prefect_smtp_relay.transports.smtp.session.ehlo import (
    MAX_RECIPIENTS,
    helo_name,
    read_extensions,
    recipient_limit,
)
from prefect_smtp_relay.transports.smtp.session.wire import Wire, is_loopback

_KNOWS_NO_EHLO = frozenset({500, 502})
"""Other negative replies refuse this host's name, and would refuse it in HELO as well."""
_END = b".\r\n"
_ONE_RECORD = 16_000
"""Bytes that go out whole or not at all, under TLS too."""
_LAST_WORDS_SECONDS = 0.5
_QUIT_SECONDS = 2.0


class Session:
    """The client's side of one connection; every status is checked, every error translated.

    Args:
        sock: connected, and encrypted already where TLS is direct.
        config: how the relay is to be spoken to.
        deadline: of the delivery that the session is opened for.

    Only RSET permits the next MAIL where it is ``in_transaction``; one that ``is_retired`` gives
    way to another; ``failure`` ended it; ``served`` counts transactions.
    """

    def __init__(
        self, sock: socket.socket, config: SmtpConfig, deadline: Deadline | None = None
    ) -> None:
        self.config = config
        self.extensions: Mapping[str, str] = {}
        self.is_open = True
        self.in_transaction = False
        self.served = 0
        self.has_accepted = False
        self.is_retired = False
        self.failure: EmailError | None = None
        self.recipient_limit = MAX_RECIPIENTS
        self._opened_at = time.monotonic()
        self._wire = Wire(sock, config.timeout_seconds, deadline or Deadline())

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is on."""
        return self.tls is not None

    @property
    def tls(self) -> ssl.SSLSocket | None:
        """The encrypted socket, which knows the version, the cipher and the certificate."""
        sock = self._wire.socket
        return sock if isinstance(sock, ssl.SSLSocket) else None

    @property
    def is_quiet(self) -> bool:
        """Whether nothing came since the last reply, so that the session can go on."""
        with contextlib.suppress(OSError, ValueError):
            self._wire.look()
            return self.is_open and not self._wire.has_unread
        return False

    @property
    def should_end(self) -> bool:
        """Whether a new session should take its place: servers count, and drift out of step."""
        limits = self.config.limits
        age = time.monotonic() - self._opened_at
        is_old = self.served >= limits.transactions or age > limits.session_seconds
        return is_old or self.is_retired

    @property
    def pipelines(self) -> bool:
        """Whether several commands may go in one write (RFC 2920)."""
        return "PIPELINING" in self.extensions

    @property
    def is_on_loopback(self) -> bool:
        """Whether the server is this host itself, so that nobody can read along.

        Raises:
            ConnectionFailed: the connection is gone.
        """
        with self._translating("AUTH"):
            return is_loopback(self._wire.socket)

    @property
    def mechanisms(self) -> list[str]:
        """What EHLO offers for AUTH, in upper case (RFC 4954, section 3)."""
        return self.extensions.get("AUTH", "").upper().split()

    def read_greeting(self, seconds: float | None = None) -> Reply:
        """Read the server's first reply, which it sends unasked.

        Args:
            seconds: how long to wait; None: ``timeout_seconds``.
        """
        return self._expect("greeting", self.read_reply("greeting", seconds))

    def start_tls(self, encrypt: Callable[[socket.socket], ssl.SSLSocket]) -> None:
        """Encrypt the connection; what EHLO said before is forgotten (RFC 3207, section 4.2).

        Args:
            encrypt: does the handshake; the socket's timeout bounds it.

        Raises:
            TlsFailed: the server has no STARTTLS, or the handshake failed.
        """
        if "STARTTLS" not in self.extensions:
            raise TlsFailed(self.config.name, NO_STARTTLS, stage="STARTTLS")
        self.demand("STARTTLS", "STARTTLS")
        with self._translating("STARTTLS"):
            plain = self._wire.socket
            plain.settimeout(self._wire.deadline.left(self.config.timeout_seconds))
            self._wire.replace_socket(plain)
            self._wire.socket = encrypt(plain)
        self.hello()

    def command(self, stage: str, line: str) -> Reply:
        """Send one line and read its reply, whatever it says."""
        self.write(stage, f"{line}\r\n".encode())
        return self.read_reply(stage)

    def demand(self, stage: str, line: str) -> Reply:
        """Send one line and read its reply, which must be positive."""
        return self._expect(stage, self.command(stage, line))

    def hide(self, secrets: Iterable[str] = (), lines: Iterable[str] = ()) -> None:
        """Keep these texts out of what is read from now on, and so out of errors and receipts."""
        self._wire.hide(secrets, lines)

    def hide_addresses(self, addresses: list[str]) -> None:
        """Keep these addresses out of what is read until others are hidden."""
        self._wire.hide_addresses(addresses)

    def go_on(self, deadline: Deadline) -> None:
        """Serve another delivery."""
        self._wire.deadline = deadline

    def write(self, stage: str, data: bytes) -> None:
        """Write commands."""
        self._check_step(stage)
        try:
            self._wire.write(data)
        except OSError as error:
            raise self._lost(stage, error) from error

    def write_message(self, chunks: Iterable[bytes], next_commands: bytes) -> None:
        """Write the message, the dot that ends it, and the commands that follow it.

        The end of the message and the commands go in one TLS record, so that a failed write tells
        whether the server can have read the dot: `Wire.written` counts whole records.

        Args:
            chunks: bytes in lines, their dots doubled.
            next_commands: for a server that pipelines.

        Raises:
            EmailError: of the connection, in the server's words where it said why it gave up.
        """
        self._check_step("body", look=True)
        last = b""
        for chunk in chunks:
            if last:
                self._write_body(last)
            last = chunk
        if len(last) + len(next_commands) > _ONE_RECORD:
            self._write_body(last)
            last = b""
        last += _END
        try:
            self._wire.write(last + next_commands)
        except OSError as error:
            # Whether the bytes that end the message arrived, only the final reply would tell.
            is_ended = self._wire.written >= len(last)
            raise self._lost(FINAL_REPLY if is_ended else "body", error) from error

    def read_reply(self, stage: str, seconds: float | None = None) -> Reply:
        """Read the next reply, whatever it says; the final one never too early for a duplicate.

        Args:
            stage: the step of the session.
            seconds: how long to wait; None: ``timeout_seconds``.
        """
        try:
            return self._wire.read_reply(seconds, beyond_deadline=stage == FINAL_REPLY)
        except (OSError, MalformedReply) as error:
            raise self._lost(stage, error) from error

    def quit(self) -> None:
        """Say good-bye and close, whatever the server answers now."""
        quit_all([self])

    def close(self) -> None:
        """Drop the connection."""
        self.is_open = False
        self._wire.close()

    def abandon(self) -> None:
        """Leave the connection to the process that this one was forked from."""
        self.is_open = False
        self._wire.abandon()

    def hello(self) -> None:
        """Say EHLO and note the extensions, or HELO where that is all the server knows."""
        with self._translating("EHLO"):
            name = self.config.helo_domain or helo_name(self._wire.socket)
        reply = self.command("EHLO", f"EHLO {name}")
        if reply.code in _KNOWS_NO_EHLO:
            self.extensions = {}
            self.demand("EHLO", f"HELO {name}")
            return
        self._expect("EHLO", reply)
        self.extensions = read_extensions(reply)
        self.recipient_limit = recipient_limit(self.extensions)

    def out_of_step(self, stage: str, reply: Reply) -> EmailError:
        """End a session whose replies do not fit the commands: a later one would be misread."""
        error = MalformedReply(f"a reply out of step: {reply}")
        lost = self._lost(stage, error)
        lost.__cause__ = error  # the others are raised from theirs
        return lost

    def _check_step(self, stage: str, *, look: bool = False) -> None:
        """Make sure that every reply was asked for (RFC 2920, section 3.1)."""
        try:
            if look:
                self._wire.look()
        except OSError as error:
            raise self._lost(stage, error) from error
        if not self._wire.has_unread:
            return
        reply = self.read_reply(stage)
        if reply.code == 421:
            self.close()
            raise refused(self.config.name, stage, reply)
        raise self.out_of_step(stage, reply)

    def _write_body(self, chunk: bytes) -> None:
        try:
            self._wire.write(chunk)
        except OSError as error:
            raise self._last_words() or self._lost("body", error) from error

    def _last_words(self) -> EmailError | None:
        """Read the reply of a server that did not wait for the end of the message."""
        self.go_on(Deadline(_LAST_WORDS_SECONDS))
        with contextlib.suppress(OSError, MalformedReply):
            reply = self._wire.read_reply()
            if not reply.is_positive:
                self.close()
                return refused(self.config.name, "body", reply)
        return None

    def _lost(self, stage: str, error: OSError | MalformedReply) -> EmailError:
        """Translate an error of the wire, after which nothing can be said any more."""
        self.close()
        return translate(self.config.name, stage, error)

    @contextlib.contextmanager
    def _translating(self, stage: str) -> Iterator[None]:
        try:
            yield
        except (OSError, MalformedReply) as error:
            raise self._lost(stage, error) from error

    def _expect(self, stage: str, reply: Reply) -> Reply:
        if not reply.is_positive:
            raise refused(self.config.name, stage, reply)
        return reply


def quit_all(sessions: Sequence[Session]) -> None:
    """Say good-bye to several servers at once, and close: the wait is that for one."""
    deadline = Deadline(_QUIT_SECONDS)
    for session in sessions:
        session.go_on(deadline)
        with contextlib.suppress(EmailError):
            session.write("QUIT", b"QUIT\r\n")
    for session in sessions:
        with contextlib.suppress(EmailError):
            session.read_reply("QUIT")
        session.close()
