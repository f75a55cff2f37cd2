"""Certificates that a good server would not have."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_DAY = timedelta(days=1)


def issue(*host_names: str, **details: datetime) -> tuple[str, ssl.SSLContext]:
    """Issue a certificate by a CA of its own; returns the CA's PEM and a server's context."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*host_names, **details).configure_cert(context)  # type: ignore[arg-type]
    return authority.cert_pem.bytes().decode(), context


def sign_itself() -> tuple[str, ssl.SSLContext]:
    """Make a certificate for localhost that is its own issuer; returns its PEM and a context."""
    return _sign(x509.SubjectAlternativeName([x509.DNSName("localhost")]))


def name_oddly(names: bytes) -> ssl.SSLContext:
    """Make a server whose certificate has these subject alternative names, in DER."""
    return _sign(x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, names))[1]


def _sign(names: x509.ExtensionType) -> tuple[str, ssl.SSLContext]:
    now = datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.LeafCert(private, pem, []).configure_cert(context)
    return pem.decode(), context


def expire() -> tuple[str, ssl.SSLContext]:
    """Issue a certificate that was good until yesterday."""
    now = datetime.now(UTC)
    return issue("localhost", "127.0.0.1", not_before=now - 9 * _DAY, not_after=now - _DAY)


def speak_old_tls() -> tuple[str, ssl.SSLContext]:
    """Make a server that knows no TLS newer than 1.0."""
    pem, context = issue("localhost", "127.0.0.1")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is outdated is the point
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    return pem, context


def share_no_cipher() -> tuple[str, ssl.SSLContext]:
    """Make a server whose one cipher needs another key than the one it has."""
    pem, context = issue("localhost", "127.0.0.1")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA")
    return pem, context


ODD: dict[str, Callable[[], tuple[str, ssl.SSLContext]]] = {
    "expired": expire,
    "other-host": lambda: issue("other.example.org", "192.0.2.1"),
    "unknown-ca": lambda: ("", issue("localhost", "127.0.0.1")[1]),
    "self-signed": lambda: ("", sign_itself()[1]),
    "tls-1.0": speak_old_tls,
    "no-cipher": share_no_cipher,
}
"""By name: the PEM of what the client is to trust, and the server's context."""
