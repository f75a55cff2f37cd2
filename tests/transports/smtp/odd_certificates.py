"""Certificates that a good server would not have."""

from __future__ import annotations

import ssl
import tempfile
import warnings
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

_PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_DAY = timedelta(days=1)
_LOCALHOST = x509.SubjectAlternativeName([x509.DNSName("localhost")])
_GROUP_2 = (
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E34"
    "04DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6"
    "F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF"
)
"""RFC 2409, section 6.2."""


def issue(*host_names: str, **details: datetime) -> tuple[str, ssl.SSLContext]:
    """Issue a certificate by a CA of its own; returns the CA's PEM and a server's context."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*host_names, **details).configure_cert(context)  # type: ignore[arg-type]
    return authority.cert_pem.bytes().decode(), context


def sign_itself() -> tuple[str, ssl.SSLContext]:
    """Make a certificate for localhost that is its own issuer; returns its PEM and a context."""
    return _sign(_LOCALHOST)


def name_oddly(names: bytes) -> ssl.SSLContext:
    """Make a server whose certificate has these subject alternative names, in DER."""
    return _sign(x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, names))[1]


def _sign(names: x509.ExtensionType) -> tuple[str, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = _build(name, name, key.public_key(), names).sign(key, hashes.SHA256())
    return _pem(certificate).decode(), _serve(key, certificate)


def _build(
    issuer: x509.Name, subject: x509.Name, key: _PublicKey, names: x509.ExtensionType | None = None
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )
    return builder.add_extension(names, critical=False) if names else builder


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _serve(key: _PrivateKey, certificate: x509.Certificate, ciphers: str = "") -> ssl.SSLContext:
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if ciphers:
        context.set_ciphers(ciphers)
    trustme.LeafCert(private, _pem(certificate), []).configure_cert(context)
    return context


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


def lack_basic_constraints() -> tuple[str, ssl.SSLContext]:
    """Issue a certificate by a CA whose own does not say that it is one."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Own CA")])
    ca = _build(ca_name, ca_name, ca_key.public_key()).sign(ca_key, hashes.SHA256())
    key = ec.generate_private_key(ec.SECP256R1())
    host = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    leaf = _build(ca_name, host, key.public_key(), _LOCALHOST).sign(ca_key, hashes.SHA256())
    return _pem(ca).decode(), _serve(key, leaf)


def weaken_key() -> tuple[str, ssl.SSLContext]:
    """Make a server whose RSA key has 1024 bits."""
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505  # that it is weak is the point
    host = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    leaf = _build(host, host, key.public_key(), _LOCALHOST).sign(key, hashes.SHA256())
    return _pem(leaf).decode(), _serve(key, leaf, "ALL:@SECLEVEL=0")


def weaken_exchange() -> tuple[str, ssl.SSLContext]:
    """Make a server that exchanges keys over a Diffie-Hellman group of 1024 bits."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue_cert("localhost", key_type=trustme.KeyType.RSA)
    issued.configure_cert(context)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
    group = bytes.fromhex(f"308187028181 00{_GROUP_2} 020102")  # PKCS #3: the prime, and 2
    pem = b64encode(group).decode()
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(f"-----BEGIN DH PARAMETERS-----\n{pem}\n-----END DH PARAMETERS-----\n")
        file.flush()
        context.load_dh_params(file.name)
    return authority.cert_pem.bytes().decode(), context


ODD: dict[str, Callable[[], tuple[str, ssl.SSLContext]]] = {
    "expired": expire,
    "other-host": lambda: issue("other.example.org", "192.0.2.1"),
    "unknown-ca": lambda: ("", issue("localhost", "127.0.0.1")[1]),
    "self-signed": lambda: ("", sign_itself()[1]),
    "tls-1.0": speak_old_tls,
    "no-cipher": share_no_cipher,
    "no-ca": lack_basic_constraints,
    "weak-key": weaken_key,
    "weak-dh": weaken_exchange,
}
"""By name: the PEM of what the client is to trust, and the server's context."""
