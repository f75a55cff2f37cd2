"""TLS contexts, built once, and the TLS sessions that new connections resume."""

from __future__ import annotations

import socket
import ssl
import time
import weakref
from functools import lru_cache

from prefect_smtp_relay.exceptions import RelayConfigurationError

_MOST_PLACES = 64
_LONGEST_SECONDS = 3600.0
"""Certificates are checked in whole handshakes only: how long others may follow one."""

_clients: weakref.WeakSet[TlsClient] = weakref.WeakSet()


class TlsClient:
    """A TLS context, with what the relays gave to shorten the next handshake (RFC 8446, 2.2).

    A session is resumed only under the context that checked its certificate, and only at the
    host and port that gave it.

    Args:
        context: of a configuration.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._sessions: dict[tuple[str, int], tuple[float, ssl.SSLSession]] = {}
        _clients.add(self)

    def encrypt(self, sock: socket.socket, place: tuple[str, int]) -> ssl.SSLSocket:
        """Do the handshake.

        Args:
            sock: connected; its timeout bounds the handshake.
            place: the host, which the certificate must name, and the port.

        Raises:
            OSError: it failed.
        """
        since, session = self._sessions.get(place, (0.0, None))
        if time.monotonic() - since > _LONGEST_SECONDS:
            session = None
        return self._context.wrap_socket(sock, server_hostname=place[0], session=session)

    def remember(self, tls: ssl.SSLSocket, place: tuple[str, int]) -> None:
        """Note the session for the next connection; TLS 1.3 gives it behind the first reply."""
        session = tls.session
        if session is None or (tls.version() == "TLSv1.3" and not session.has_ticket):
            return
        known = self._sessions.get(place)
        since = known[0] if known and tls.session_reused else time.monotonic()
        self._sessions[place] = (since, session)
        if len(self._sessions) > _MOST_PLACES:
            self._sessions.pop(next(iter(self._sessions)), None)

    def forget(self, place: tuple[str, int]) -> bool:
        """Make the next handshake a whole one.

        Returns:
            Whether there was something to forget.
        """
        return self._sessions.pop(place, None) is not None


def forget_sessions(place: tuple[str, int]) -> None:
    """Make the next handshake with a host and port a whole one, under any configuration."""
    for client in list(_clients):
        client.forget(place)


@lru_cache(maxsize=32)
def tls_client(verify_peer: bool, ca_certificate: str) -> TlsClient:
    """Build the TLS client of a configuration, once: loading the CA bundle costs 30 ms.

    Args:
        verify_peer: check chain and host name.
        ca_certificate: PEM text trusted in addition to the system's CAs.

    Raises:
        RelayConfigurationError: ``ca_certificate`` is no PEM text.
    """
    if verify_peer:
        context = ssl.create_default_context()
        if ca_certificate:
            _trust(context, ca_certificate)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return TlsClient(context)


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


def _trust(context: ssl.SSLContext, ca_certificate: str) -> None:
    pem = ca_certificate.encode("ascii", "replace").decode()  # only comments hold other letters
    try:
        context.load_verify_locations(cadata=pem)
    except (ValueError, ssl.SSLError) as error:
        raise RelayConfigurationError(
            f"ca_certificate: not a certificate in PEM ({error}). Paste the CA's text with its"
            " BEGIN CERTIFICATE and END CERTIFICATE lines."
        ) from error
