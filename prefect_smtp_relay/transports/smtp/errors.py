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
from prefect_smtp_relay.transports.smtp.hints import (
    advise,
    advise_broken,
    advise_loss,
    advise_silence,
    advise_tls,
)
from prefect_smtp_relay.transports.smtp.reply import MalformedReply, Reply

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
_CUT_OFF = (BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""What a connection that the server closed is called by those who write and by TLS."""

_BROKEN_KINDS: dict[str, type[DeliveryError]] = {
    "greeting": PermanentFailure,
    "STARTTLS": TlsFailed,
}
"""What an answer means that is not a reply; elsewhere the connection is as good as lost."""


def refused(transport: str, stage: str, reply: Reply) -> DeliveryError:
    """Translate a reply that is not the one to go on with.

    Args:
        transport: its loggable name.
        stage: the step of the session.
        reply: the server's answer.
    """
    if stage == FINAL_REPLY and not reply.is_negative:
        return _unknown(transport, f"the server answered {reply}", reply)
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
        return _unknown(transport, f"the reply was lost ({_words(error)})", error)
    kind, advice = _classify(stage, error)
    return kind(transport, f"{_words(error)}. {advice}", stage=stage)


def _unknown(transport: str, fault: str, cause: Reply | Exception) -> OutcomeUnknown:
    advice = "look for its Message-ID before sending it by hand"
    if isinstance(cause, TimeoutError):
        advice += ", and raise `timeout_seconds` if the relay takes its time"
    detail = f"the message was handed over, then {fault}. It may have been accepted: {advice}."
    if isinstance(cause, Reply):
        return OutcomeUnknown(transport, detail, cause.code, cause.enhanced_code, FINAL_REPLY)
    return OutcomeUnknown(transport, detail, stage=FINAL_REPLY)


def _classify(stage: str, error: Exception) -> tuple[type[DeliveryError], str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsFailed, _CERTIFICATE_ADVICE.get(error.verify_code, _UNKNOWN_CA)
    if isinstance(error, TimeoutError):
        return TimedOut, advise_silence(stage)
    if isinstance(error, ssl.SSLError) and not isinstance(error, _CUT_OFF):
        return TlsFailed, advise_tls(_reason(error))
    if isinstance(error, MalformedReply):
        kind = _BROKEN_KINDS.get(stage, ConnectionFailed)
        return kind, advise_broken(stage, str(error).strip("'\""))
    if isinstance(error, socket.gaierror):
        return ConnectionFailed, "Check the host name in `address`, and this host's DNS."
    return ConnectionFailed, advise_loss(stage)


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate was not accepted: {error.verify_message.rstrip('.')}"
    if isinstance(error, MalformedReply):
        return f"the answer is not an SMTP reply: {error}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, _CUT_OFF):
        return "the server closed the connection"
    if isinstance(error, ConnectionResetError) and error.errno:
        return "the server reset the connection"
    if isinstance(error, ssl.SSLError) and (reason := _reason(error)):
        return f"the TLS connection failed: {reason.replace('_', ' ').lower()}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _reason(error: ssl.SSLError) -> str:
    """OpenSSL's name of the error; one that Python raised by itself has none."""
    return getattr(error, "reason", None) or ""
