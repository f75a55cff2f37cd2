"""One SMTP session: greeting, EHLO, STARTTLS, AUTH, transactions, QUIT (RFC 5321, section 3)."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence

from prefect_smtp_relay.exceptions import EmailError, TlsFailed
from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.resolver import Address
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.hints import NO_STARTTLS
from prefect_smtp_relay.transports.smtp.reply import Reply
from prefect_smtp_relay.transports.smtp.session.channel import Channel
from prefect_smtp_relay.transports.smtp.session.ehlo import (
    MAX_RECIPIENTS,
    helo_name,
    read_extensions,
    recipient_limit,
)
from prefect_smtp_relay.transports.smtp.session.wire import is_loopback

_KNOWS_NO_EHLO = frozenset({500, 502})
"""Other negative replies refuse this host's name, and would refuse it in HELO as well."""
_QUIT_SECONDS = 2.0


class Session(Channel):
    """One connection's state: what the server offers, and whether it may serve again.

    Args:
        sock: connected, and encrypted already where TLS is direct.
        config: how the relay is to be spoken to.
        deadline: of the delivery that the session is opened for.

    Only RSET permits the next MAIL where it is ``in_transaction``; one that ``is_retired`` gives
    way to another; ``failure`` ended it; ``served`` counts transactions; ``address`` is set where
    the host has others.
    """

    def __init__(
        self, sock: socket.socket, config: SmtpConfig, deadline: Deadline | None = None
    ) -> None:
        super().__init__(sock, config, deadline or Deadline())
        self.extensions: Mapping[str, str] = {}
        self.in_transaction = False
        self.served = 0
        self.has_accepted = False
        self.is_retired = False
        self.failure: EmailError | None = None
        self.address: Address | None = None
        self.recipient_limit = MAX_RECIPIENTS
        self._opened_at = time.monotonic()

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

    def quit(self) -> None:
        """Say good-bye and close, whatever the server answers now."""
        quit_all([self])

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
