"""The classic mistakes, recognised by asking the server once more in the other way."""

from __future__ import annotations

import contextlib
import socket
import ssl
from dataclasses import replace
from typing import Any

from prefect_smtp_relay.exceptions import DeliveryError, EmailError, TimedOut, TlsFailed
from prefect_smtp_relay.transports.smtp import form
from prefect_smtp_relay.transports.smtp.auth.mechanisms import REVEALING, WIRE_NAMES, WITH_TOKEN
from prefect_smtp_relay.transports.smtp.check.certificate import Certificate, read_certificate
from prefect_smtp_relay.transports.smtp.check.recommendation import DIRECT_TLS, STARTTLS, Remedy
from prefect_smtp_relay.transports.smtp.config import Mechanism, Security, SmtpConfig
from prefect_smtp_relay.transports.smtp.connect.connection import connect
from prefect_smtp_relay.transports.smtp.session.session import Session
from prefect_smtp_relay.transports.smtp.tls_hints import OTHER_HOST_CODES

_PROBE_SECONDS = 3.0
_SUBMISSION_PORTS = {587: STARTTLS, 465: DIRECT_TLS}
"""RFC 6409 and RFC 8314: where mail is submitted; port 25 is for relays among themselves."""

_BY_PREFERENCE: tuple[Mechanism, ...] = (
    *("scram_sha_256", "plain", "login", "cram_md5"),
    *("xoauth2", "oauthbearer"),
)

_SELF_SIGNED_CODE = 18
_UNKNOWN_ISSUER_CODES = frozenset({2, _SELF_SIGNED_CODE, 19, 20, 21})
"""OpenSSL's verify codes for a chain that does not end at a trusted CA."""


def no_connection(config: SmtpConfig, error: DeliveryError) -> Remedy | None:
    """Look for a port that answers, where the configured one does not.

    Args:
        config: whose address was found in DNS.
        error: why there was no connection.
    """
    start = f"Port {config.port} does not answer from here"
    if config.port == 25 and isinstance(error, TimedOut):
        start = "Port 25 is blocked, as most networks do for all but their own mail servers"
    for port, tls in _SUBMISSION_PORTS.items():
        if port != config.port and _listens(config.address, port):
            return Remedy(f"{start}; port {port} does: use that.", {"port": port, **tls})
    if config.port == 25:
        words = f"{start}: use 587 with STARTTLS, or whichever port the provider names."
        return Remedy(words, {"port": 587, **STARTTLS})
    return None


def ssl_on_a_starttls_port(config: SmtpConfig) -> Remedy:
    """Explain a TLS handshake that was answered in plain text."""
    try:
        _open(config, security=Security.STARTTLS).quit()
    except EmailError:
        return no_tls(config)
    return Remedy(
        "This is a STARTTLS server, and the block speaks only SSL (TLS from the first byte) to it:"
        f" switch {form.SSL} off and {form.ENABLE_STARTTLS} on.",
        STARTTLS,
    )


def no_tls(config: SmtpConfig) -> Remedy:
    """Explain a server that greets in plain text and does not offer STARTTLS."""
    return Remedy(
        f"Port {config.port} takes neither SSL nor STARTTLS: use another port of this server, 465"
        f" or 587. Without encryption ({form.SSL} and {form.ENABLE_STARTTLS} off) only in your own"
        " network."
    )


def unchecked_certificate(config: SmtpConfig) -> Certificate | None:
    """Read the certificate that `peer` did not accept, over a connection that checks nothing.

    Args:
        config: how the relay is spoken to.
    """
    with contextlib.suppress(EmailError):
        session = _open(config, verify_peer=False)
        try:
            return read_certificate(session.tls) if session.tls else None
        finally:
            session.quit()
    return None


def untrusted_issuer(
    certificate: Certificate | None, error: ssl.SSLCertVerificationError
) -> Remedy | None:
    """Say which certificate to trust, where it is the issuer that is not trusted.

    Args:
        certificate: what the server showed; None where that cannot be read.
        error: why `peer` did not accept it.
    """
    if error.verify_code not in _UNKNOWN_ISSUER_CODES:
        return None
    if error.verify_code == _SELF_SIGNED_CODE:
        start, owner = "The certificate is self-signed", "the certificate itself"
    else:
        issuer = f" ({certificate.issuer})" if certificate else ""
        start, owner = f"The certificate's issuer{issuer} is not trusted here", "that CA"
    return Remedy(
        f"{start}: paste the PEM of {owner} into {form.CA_CERTIFICATE}, as the server's"
        " administrator gives it to you."
    )


def other_name(
    config: SmtpConfig, certificate: Certificate | None, error: ssl.SSLCertVerificationError
) -> Remedy | None:
    """Name the host that the certificate is for, where it is for another one.

    An impostor has a certificate too, for a name of his own: what it says is told in words, and
    is never a setting, which would send the password there.

    Args:
        config: whose address was compared.
        certificate: what the server showed; None where that cannot be read.
        error: why `peer` did not accept it; OpenSSL names only the first reason.
    """
    wanted = config.tls_server_name or config.address
    if certificate is None or not certificate.names:
        return None
    if error.verify_code not in OTHER_HOST_CODES and certificate.is_for(wanted):
        return None
    name = min(certificate.names, key=lambda name: name.startswith("*"))
    return Remedy(
        f"The certificate is for {name}, not for {wanted}: somebody else may have"
        f" answered. Only if you know that it is the right server, set {form.ADDRESS} to a name in"
        f" its certificate, or {form.TLS_SERVER_NAME}."
    )


def why_peer_fails(config: SmtpConfig) -> str:
    """Repeat the handshake with `ssl_verify_mode` peer.

    Returns:
        What is against it; empty if nothing is.
    """
    try:
        _open(config, verify_peer=True).quit()
    except TlsFailed as error:
        return error.detail
    except EmailError as error:
        return f"a second connection, to try it, failed: {error}"
    return ""


def other_mechanism(config: SmtpConfig, session: Session) -> Remedy | None:
    """Choose among the mechanisms that the server offers, where the configured one is not."""
    if not session.mechanisms and not session.is_encrypted and "STARTTLS" in session.extensions:
        return Remedy("The server offers AUTH only under TLS: switch STARTTLS on.", STARTTLS)
    if WIRE_NAMES[config.mechanism] in session.mechanisms:
        return None
    offered = [name for name in _BY_PREFERENCE if WIRE_NAMES[name] in session.mechanisms]
    fitting = [n for n in offered if (n in WITH_TOKEN) == (config.mechanism in WITH_TOKEN)]
    if fitting:
        return _set_mechanism(config, fitting[0])
    if offered and config.mechanism in WITH_TOKEN:
        return Remedy(
            f"The server takes passwords only, and no access token: set {form.AUTHENTICATION} to"
            f" {offered[0]} and {form.PASSWORD}, and clear the `oauth_` fields."
        )
    if offered:
        return Remedy(
            f"The server takes OAuth tokens only, and no password: set {form.AUTHENTICATION} to"
            f" {offered[0]}, clear {form.PASSWORD}, and set {form.OAUTH_TOKEN_URL} and the other"
            " `oauth_` fields."
        )
    return None


def _set_mechanism(config: SmtpConfig, best: Mechanism) -> Remedy:
    """Recommend a mechanism, but none that shows the password to whoever answered."""
    words = f"Wrong mechanism: the server does not offer {WIRE_NAMES[config.mechanism]}"
    if best in REVEALING and config.mechanism not in REVEALING and not config.verify_peer:
        return Remedy(
            f"{words}, but {WIRE_NAMES[best]}, which shows the password itself to whoever answered:"
            f" set {form.SSL_VERIFY_MODE} to peer first, then {form.AUTHENTICATION} to {best}."
        )
    return Remedy(f"{words}; set {form.AUTHENTICATION} to {best}.", {"authentication": best})


def _open(config: SmtpConfig, **changes: Any) -> Session:
    wait = min(config.timeout_seconds, 2 * _PROBE_SECONDS)
    return connect(replace(config, credentials=None, oauth=None, timeout_seconds=wait, **changes))


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=_PROBE_SECONDS).close()
    except OSError:
        return False
    return True
