"""What to change where TLS fails, by OpenSSL's codes and names of errors."""

from __future__ import annotations

import ssl

from prefect_smtp_relay.transports.smtp.form import (
    ADDRESS,
    CA_CERTIFICATE,
    CLIENT_CERTIFICATE,
    CLIENT_KEY,
    ENABLE_STARTTLS,
    PORT,
    SSL,
    SSL_VERIFY_MODE,
    TIMEOUT_SECONDS,
    TLS_SERVER_NAME,
)

_CLIENT = f"{CLIENT_CERTIFICATE} and {CLIENT_KEY}"

OTHER_HOST_CODES = frozenset({62, 64})
"""OpenSSL's verify codes for a certificate of another host name or IP address."""

_OTHER_HOST = (
    f"The certificate is for another host: if it is the right server, set {ADDRESS} to a name in"
    f" it, or {TLS_SERVER_NAME} where the relay is reached by another name."
)
_INVALID_CA = (
    "The certificate of the CA does not say that it is one, or breaks other rules of RFC 5280,"
    " which Python 3.13 and later check strictly: have the CA certificate issued again with"
    f" basicConstraints and keyUsage (critical) and key identifiers, or set {SSL_VERIFY_MODE} to"
    " none."
)
_WEAK_KEY = (
    "A key or signature in the certificate's chain is too weak to be safe (RSA below 2048 bits,"
    " MD5 or SHA-1): have the certificate issued again."
)
_UNKNOWN_CA = (
    f"The certificate's issuer is not trusted: put the CA's PEM in {CA_CERTIFICATE}, or set"
    f" {SSL_VERIFY_MODE} to none."
)
_BY_CODE = {
    9: "The certificate is not valid yet: check the clocks of this host and of the relay.",
    10: "The certificate has expired: have it renewed.",
    18: f"The certificate is self-signed: put it in {CA_CERTIFICATE}, or set {SSL_VERIFY_MODE} to"
    " none.",
    23: "The certificate has been revoked: have a new one issued.",
    26: "The certificate is not for a server: have one issued for TLS servers.",
    **dict.fromkeys((24, 25, 32, 79, 80, 81, 82, 83, 84, *range(85, 95)), _INVALID_CA),
    **dict.fromkeys((66, 67, 68), _WEAK_KEY),
    **dict.fromkeys(OTHER_HOST_CODES, _OTHER_HOST),
}

_NO_TLS_RECORD = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL")
"""What the versions of OpenSSL call an answer that is not TLS, such as a greeting."""

_PORT = f"use the port for direct TLS (465) with {SSL} on."
_IN_CLEAR = f"The server answered the TLS handshake in plain text: {_PORT}"
_OLD_TLS = (
    "The server speaks only TLS older than 1.2, which is not safe: have it updated, or use another"
    " relay."
)
_WEAK_SERVER = (
    "The server's {} is too weak for this host's OpenSSL: its administrator has to replace it ({})."
)
_WANTS_CERTIFICATE = f"set {_CLIENT} to those that the relay's administrator gave you."
_NOT_OURS = f"The server does not accept the client certificate: check {_CLIENT}."
_BY_REASON = {
    **dict.fromkeys(_NO_TLS_RECORD, _IN_CLEAR),
    **dict.fromkeys(("TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL"), _OLD_TLS),
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "The server has no cipher in common with this host: ask its"
    f" administrator. If it wants a client certificate, {_WANTS_CERTIFICATE}",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "The server wants a client certificate:"
    f" {_WANTS_CERTIFICATE}",
    **dict.fromkeys(
        (
            "SSLV3_ALERT_BAD_CERTIFICATE",
            "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
            "SSLV3_ALERT_CERTIFICATE_EXPIRED",
            "SSLV3_ALERT_CERTIFICATE_REVOKED",
            "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
            "TLSV1_ALERT_UNKNOWN_CA",
            "TLSV1_ALERT_ACCESS_DENIED",
            "TLSV1_ALERT_DECRYPT_ERROR",
        ),
        _NOT_OURS,
    ),
    "TLSV1_UNRECOGNIZED_NAME": "The server does not know a host of this name: set"
    f" {TLS_SERVER_NAME} to the name in its certificate.",
    "DH_KEY_TOO_SMALL": _WEAK_SERVER.format(
        "Diffie-Hellman key", "2048 bits or more, or elliptic curves"
    ),
    **dict.fromkeys(
        ("EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK", "WRONG_SIGNATURE_TYPE"),
        _WEAK_KEY,
    ),
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": _WEAK_SERVER.format(
        "TLS library", "it lacks secure renegotiation, RFC 5746"
    ),
}
_OTHERWISE = (
    f"The server did not go on with the TLS handshake: check {PORT}, {SSL} and {ENABLE_STARTTLS}."
)
CLOSED_AFTER_HANDSHAKE = (
    "It hung up after the TLS handshake, without a greeting: it may not serve this host, or want a"
    f" client certificate: ask its administrator, or {_WANTS_CERTIFICATE}"
)
SILENT_AFTER_HANDSHAKE = (
    f"It says nothing after the TLS handshake: check {PORT}, or raise {TIMEOUT_SECONDS}."
)


def reason_of(error: OSError) -> str:
    """OpenSSL's name of the error; one that Python raised by itself has none."""
    return getattr(error, "reason", None) or ""


def is_plain_text(error: OSError) -> bool:
    """Whether a handshake failed as the server answered it in plain text."""
    return reason_of(error) in _NO_TLS_RECORD


def advise_certificate(error: ssl.SSLCertVerificationError) -> str:
    """Say what to change after a certificate was not accepted."""
    return _BY_CODE.get(error.verify_code, _UNKNOWN_CA)


def advise_tls(error: ssl.SSLError) -> str:
    """Say what to change after TLS failed for another reason than the certificate."""
    return _BY_REASON.get(reason_of(error), _OTHERWISE)
