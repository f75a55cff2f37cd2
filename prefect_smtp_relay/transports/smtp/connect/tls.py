"""TLS contexts, built once, and the TLS sessions that new connections resume."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.smtp import form
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.tls_hints import reason_of

_MAX_CLIENTS = 32
_MAX_SESSIONS = 64
_MAX_SESSION_SECONDS = 3600.0
"""Certificates are checked in whole handshakes only: how long others may follow one."""


class TlsClient:
    """A TLS context, with what the relays gave to shorten the next handshake (RFC 8446, 2.2).

    A session is resumed only under the context that checked its certificate, and only at the
    host and port that gave it, under the same name.

    Args:
        context: of a configuration.
        clock: seconds that only grow.
    """

    def __init__(self, context: ssl.SSLContext, clock: Callable[[], float]) -> None:
        self._context = context
        self._clock = clock
        self._sessions: dict[tuple[str, int, str], tuple[float, ssl.SSLSession]] = {}

    def encrypt(self, sock: socket.socket, config: SmtpConfig) -> ssl.SSLSocket:
        """Do the handshake.

        Args:
            sock: connected; its timeout bounds the handshake.
            config: names the host that the certificate must be for.

        Raises:
            OSError: it failed.
        """
        since, session = self._sessions.get(_key(config), (0.0, None))
        if self._clock() - since > _MAX_SESSION_SECONDS:
            session = None
        name = config.tls_server_name or config.address
        return self._context.wrap_socket(sock, server_hostname=name, session=session)

    def remember(self, tls: ssl.SSLSocket, config: SmtpConfig) -> None:
        """Note the session for the next connection; TLS 1.3 gives it after the first reply."""
        session = tls.session
        if session is None or (tls.version() == "TLSv1.3" and not session.has_ticket):
            return
        known = self._sessions.get(_key(config))
        since = known[0] if known and tls.session_reused else self._clock()
        self._sessions[_key(config)] = (since, session)
        if len(self._sessions) > _MAX_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)), None)

    def has_session(self, config: SmtpConfig) -> bool:
        """Whether the next handshake may be a short one."""
        return _key(config) in self._sessions

    def forget(self, config: SmtpConfig) -> None:
        """Make the next handshake a whole one."""
        self._sessions.pop(_key(config), None)


class TlsClients:
    """Those of a process, one for each kind of TLS: loading the CA bundle costs 30 ms.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._clients: dict[tuple[object, ...], TlsClient] = {}
        self._lock = threading.Lock()

    def of(self, config: SmtpConfig) -> TlsClient:
        """Return the client of a configuration; it is built when it is new.

        Raises:
            RelayConfigurationError: a certificate or the key is not one in PEM.
        """
        kind = (
            config.verify_peer,
            config.ca_certificate,
            config.client_certificate,
            config.client_key,
        )
        with self._lock:
            if kind not in self._clients:
                if len(self._clients) == _MAX_CLIENTS:
                    del self._clients[next(iter(self._clients))]
                self._clients[kind] = TlsClient(_build(config), lambda: self.clock())
            return self._clients[kind]


def tls_client(config: SmtpConfig) -> TlsClient:
    """Return this process's TLS client of a configuration."""
    return process_memory.of(TlsClients).of(config)


def speaks_tls(sock: socket.socket) -> bool:
    """Whether a server waits for TLS from the first byte.

    Args:
        sock: connected; its timeout bounds the handshake, and it is closed.
    """
    try:
        _unverified().wrap_socket(sock).close()
    except ssl.SSLError as error:
        return "ALERT" in reason_of(error)
    except OSError:
        return False
    finally:
        sock.close()
    return True


def describe(tls: ssl.SSLSocket | None) -> str:
    """Say what was negotiated: version, cipher, and whether the certificate was checked."""
    if tls is None:
        return "not encrypted"
    cipher = tls.cipher()
    checked = tls.context.verify_mode is ssl.CERT_REQUIRED
    words = [
        tls.version() or "TLS",
        cipher[0] if cipher else "unknown cipher",
        "certificate checked" if checked else "certificate not checked",
    ]
    return ", ".join(words + ["resumed"] * bool(tls.session_reused))


def _key(config: SmtpConfig) -> tuple[str, int, str]:
    return (*config.endpoint, config.tls_server_name)


def _build(config: SmtpConfig) -> ssl.SSLContext:
    context = ssl.create_default_context() if config.verify_peer else _unverified()
    if config.verify_peer and config.ca_certificate:
        _trust(context, config.ca_certificate)
    if config.client_certificate:
        _show(context, config)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _trust(context: ssl.SSLContext, ca_certificate: str) -> None:
    try:
        context.load_verify_locations(cadata=_ascii(ca_certificate))
    except (ValueError, ssl.SSLError) as error:
        raise RelayConfigurationError(
            f"is not a certificate in PEM ({error})",
            "Paste the CA's text with its BEGIN CERTIFICATE and END CERTIFICATE lines.",
            field="ca_certificate",
        ) from error


def _show(context: ssl.SSLContext, config: SmtpConfig) -> None:
    """Load the client's certificate and key, which Python reads from files only."""
    with TemporaryDirectory() as name:  # only its owner may enter it
        file = Path(name) / "client.pem"
        try:
            parts = (config.client_key.get_secret_value(), config.client_certificate)
            file.write_text("\n".join(map(_ascii, parts)))
            context.load_cert_chain(file, password=lambda: "")  # else OpenSSL asks the terminal
        except (ValueError, ssl.SSLError) as error:
            raise RelayConfigurationError(
                f"does not go with {form.CLIENT_KEY}, or one of them is not in PEM"
                f" ({getattr(error, 'reason', None) or 'unreadable'})",
                "Paste the certificate with its BEGIN CERTIFICATE line, and into"
                f" {form.CLIENT_KEY} its private key, without a passphrase.",
                field="client_certificate",
            ) from None


def _ascii(pem: str) -> str:
    return pem.encode("ascii", "replace").decode()  # only comments hold other letters
