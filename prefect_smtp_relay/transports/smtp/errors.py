"""The one place where replies, socket errors and TLS errors become errors of the tree."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator

from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    ConnectionFailed,
    DeliveryError,
    OutcomeUnknown,
    PermanentFailure,
    TimedOut,
    TlsFailed,
    TransientFailure,
)
from prefect_smtp_relay.transports.smtp.advice import advise
from prefect_smtp_relay.transports.smtp.reply import Reply
from prefect_smtp_relay.transports.smtp.wire import MalformedReply

FINAL_REPLY = "final reply"
"""The stage in which the message may have been accepted already."""

OTHER_HOST_CODES = frozenset({62, 64})
"""OpenSSL's verify codes for a certificate of another host name or IP address."""

_OTHER_HOST = "The certificate is for another host: set `address` to a name that it holds."
_CERTIFICATE_ADVICE = {
    9: "The certificate is not valid yet: check the clocks of this host and of the relay.",
    10: "The certificate has expired: have it renewed.",
    18: "The certificate is self-signed: put it in `ca_certificate`, or set `ssl_verify_mode` to"
    " none.",
    **dict.fromkeys(OTHER_HOST_CODES, _OTHER_HOST),
}
_UNKNOWN_CA = (
    "The certificate's issuer is not trusted: put the CA's PEM in `ca_certificate`, or set"
    " `ssl_verify_mode` to none."
)
_SILENT = {
    "greeting": "The server said nothing. If it expects TLS from the first byte (port 465), switch"
    " `ssl` on; else check `address` and `port`.",
    "connect": "Check `address` and `port`, and whether a firewall lets this host through.",
    "TLS": "The server did not go on with the TLS handshake: check `port`, `ssl` and"
    " `enable_starttls`.",
}
_LATER = "If it goes on, ask the relay's administrator, or raise `timeout_seconds`."


def refused(transport: str, stage: str, reply: Reply) -> DeliveryError:
    """Translate a negative reply.

    Args:
        transport: its loggable name.
        stage: the step of the session.
        reply: the server's answer.
    """
    kind: type[DeliveryError] = TransientFailure if reply.is_transient else PermanentFailure
    if stage == "AUTH" and not reply.is_transient:
        kind = AuthenticationFailed
    if stage == "STARTTLS" and not reply.is_transient:
        kind = TlsFailed
    detail = f"the server answered {reply}. {advise(stage, reply)}"
    return kind(transport, detail, reply.code, reply.enhanced_code, stage)


@contextlib.contextmanager
def translating(transport: str, stage: str) -> Iterator[None]:
    """Turn every foreign error of the block below into one of the tree."""
    try:
        yield
    except (OSError, MalformedReply) as error:
        raise translate(transport, stage, error) from error


def translate(transport: str, stage: str, error: OSError | MalformedReply) -> DeliveryError:
    """Translate an error of the socket, of TLS or of the reply's grammar.

    Args:
        transport: its loggable name.
        stage: the step of the session; in the last one the outcome is unknown.
        error: what was raised.
    """
    if stage == FINAL_REPLY:
        return OutcomeUnknown(
            transport,
            f"the message was handed over, then the reply was lost ({_words(error)}). It may have"
            " been accepted: look for its Message-ID before sending it by hand.",
            stage=stage,
        )
    kind, advice = _classify(stage, error)
    return kind(transport, f"{_words(error)}. {advice}", stage=stage)


def _classify(stage: str, error: Exception) -> tuple[type[DeliveryError], str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsFailed, _CERTIFICATE_ADVICE.get(error.verify_code, _UNKNOWN_CA)
    if isinstance(error, TimeoutError):
        return TimedOut, _SILENT.get(stage, _LATER)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)):
        return ConnectionFailed, _SILENT.get(stage, _LATER)
    if isinstance(error, ssl.SSLError):
        return TlsFailed, _SILENT["TLS"]
    if isinstance(error, MalformedReply):
        return _malformed(stage)
    if isinstance(error, socket.gaierror):
        return ConnectionFailed, "Check the host name in `address`, and this host's DNS."
    return ConnectionFailed, _SILENT.get(stage, _LATER)


def _malformed(stage: str) -> tuple[type[DeliveryError], str]:
    if stage == "greeting":
        return PermanentFailure, "This is no SMTP server: check `address` and `port`."
    if stage == "STARTTLS":
        return TlsFailed, "Somebody may be tampering with the connection: ask the administrator."
    return ConnectionFailed, "The server breaks the protocol: ask its administrator."


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate was not accepted: {error.verify_message.rstrip('.')}"
    if isinstance(error, MalformedReply):
        return f"the answer is no SMTP reply: {error}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
