"""One SMTP session: greeting, EHLO, STARTTLS, AUTH, transactions, QUIT (RFC 5321, section 3)."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterable, Mapping

from prefect_smtp_relay.exceptions import TlsFailed
from prefect_smtp_relay.mail.domain import format_address_literal, to_a_labels
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.errors import refused, translating
from prefect_smtp_relay.transports.smtp.host import is_loopback
from prefect_smtp_relay.transports.smtp.reply import Reply
from prefect_smtp_relay.transports.smtp.security import tls_context
from prefect_smtp_relay.transports.smtp.wire import Wire

_KNOWS_NO_EHLO = frozenset({500, 502})
"""Other negative replies refuse this host's name, and would refuse it in HELO as well."""


class Session:
    """The client's side of one connection; every status is checked, every error translated.

    Args:
        sock: connected, and encrypted already where TLS is direct.
        config: how the relay is to be spoken to.
    """

    def __init__(self, sock: socket.socket, config: SmtpConfig) -> None:
        self.config = config
        self.extensions: Mapping[str, str] = {}
        self._wire = Wire(sock, config.timeout_seconds)

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
    def is_on_loopback(self) -> bool:
        """Whether the server is this host itself, so that nobody can read along.

        Raises:
            ConnectionFailed: the connection is gone.
        """
        with translating(self.config.name, "AUTH"):
            return is_loopback(self._wire.socket)

    @property
    def mechanisms(self) -> list[str]:
        """What EHLO offers for AUTH, in upper case (RFC 4954, section 3)."""
        return self.extensions.get("AUTH", "").upper().split()

    def greet(self) -> None:
        """Read the greeting and say EHLO."""
        self.read_greeting()
        self.hello()

    def read_greeting(self) -> Reply:
        """Read the server's first reply, which it sends unasked."""
        return self._expect("greeting", self.read_reply("greeting"))

    def start_tls(self) -> None:
        """Encrypt the connection; what EHLO said before is forgotten (RFC 3207, section 4.2).

        Raises:
            TlsFailed: the server has no STARTTLS, or the handshake failed.
        """
        if "STARTTLS" not in self.extensions:
            raise TlsFailed(
                self.config.name,
                "the server does not offer STARTTLS. If it takes TLS from the first byte (465), set"
                " that `port` with `ssl` on; only a server in your own network should be used"
                " without TLS, with `ssl` and `enable_starttls` off.",
                stage="STARTTLS",
            )
        self.demand("STARTTLS", "STARTTLS")
        with translating(self.config.name, "STARTTLS"):
            context = tls_context(self.config.verify_peer, self.config.ca_certificate)
            plain = self._wire.socket
            plain.settimeout(self.config.timeout_seconds)
            self._wire.replace_socket(plain)
            self._wire.socket = context.wrap_socket(plain, server_hostname=self.config.address)
        self.hello()

    def command(self, stage: str, line: str) -> Reply:
        """Send one line and read its reply, whatever it says."""
        with translating(self.config.name, stage):
            self._wire.write(f"{line}\r\n".encode())
        return self.read_reply(stage)

    def demand(self, stage: str, line: str) -> Reply:
        """Send one line and read its reply, which must be positive."""
        return self._expect(stage, self.command(stage, line))

    def hide(self, texts: Iterable[str]) -> None:
        """Keep these texts out of what is read from now on, and so out of errors and receipts."""
        self._wire.hide(texts)

    def write(self, stage: str, data: bytes) -> None:
        """Write octets of the message."""
        with translating(self.config.name, stage):
            self._wire.write(data)

    def read_reply(self, stage: str) -> Reply:
        """Read the next reply, whatever it says."""
        with translating(self.config.name, stage):
            return self._wire.read_reply()

    def quit(self) -> None:
        """Say good-bye and close: the message is accepted, whatever the server answers now."""
        with contextlib.suppress(Exception):
            self.command("QUIT", "QUIT")
        self.close()

    def close(self) -> None:
        """Drop the connection."""
        self._wire.close()

    def hello(self) -> None:
        """Say EHLO and note the extensions, or HELO where that is all the server knows."""
        name = self.config.helo_domain or self._own_name()
        reply = self.command("EHLO", f"EHLO {name}")
        if reply.code in _KNOWS_NO_EHLO:
            self.extensions = {}
            self.demand("EHLO", f"HELO {name}")
            return
        self._expect("EHLO", reply)
        words = (line.partition(" ") for line in reply.lines[1:])
        self.extensions = {keyword.upper(): parameters for keyword, _, parameters in words}

    def _own_name(self) -> str:
        """This host's qualified name if it knows one without asking DNS, else its address."""
        name = socket.gethostname()
        with contextlib.suppress(ValueError):
            if "." in name.strip("."):
                return to_a_labels(name)
        return format_address_literal(str(self._wire.socket.getsockname()[0]))

    def _expect(self, stage: str, reply: Reply) -> Reply:
        if not reply.is_positive:
            raise refused(self.config.name, stage, reply)
        return reply
