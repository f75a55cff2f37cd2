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
    UnknownHost,
)
from prefect_smtp_relay.transports.smtp.form import ADDRESS
from prefect_smtp_relay.transports.smtp.hints import (
    advise_broken,
    advise_loss,
    advise_silence,
)
from prefect_smtp_relay.transports.smtp.refusals import advise
from prefect_smtp_relay.transports.smtp.reply import MalformedReply, Reply
from prefect_smtp_relay.transports.smtp.tls_hints import (
    CLOSED_AFTER_HANDSHAKE,
    SILENT_AFTER_HANDSHAKE,
    advise_certificate,
    advise_tls,
    reason_of,
)

FINAL_REPLY = "final reply"
"""The stage in which the message may have been accepted already."""

_CUT_OFF = (BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""What a connection that the server closed is called by those who write and by TLS."""

_NO_SUCH_HOST = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None)})
_AFTER_HANDSHAKE: dict[type[DeliveryError], str] = {
    ConnectionFailed: CLOSED_AFTER_HANDSHAKE,
    TimedOut: SILENT_AFTER_HANDSHAKE,
}
"""Where the greeting does not come over direct TLS."""

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
    detail = f"the server answered {str(reply).rstrip('.')}. {advise(stage, reply)}"
    return kind(
        transport,
        detail,
        reply.code,
        reply.enhanced_code,
        stage,
        # After a 5yz, another relay would only hide what is wrong with the mail.
        nothing_handed_over=reply.is_transient and stage != FINAL_REPLY,
    )


@contextlib.contextmanager
def translating(transport: str, stage: str) -> Iterator[None]:
    """Turn every foreign error of the block below into one of the tree."""
    try:
        yield
    except (OSError, MalformedReply) as error:
        raise translate(transport, stage, error) from error


def translate(
    transport: str, stage: str, error: OSError | MalformedReply, *, is_encrypted: bool = False
) -> DeliveryError:
    """Translate an error of the socket, of TLS or of the reply's grammar.

    Args:
        transport: its loggable name.
        stage: the step of the session; in the last one the outcome is unknown.
        error: what was raised.
        is_encrypted: TLS was on already.
    """
    if stage == FINAL_REPLY:
        return _unknown(transport, f"the reply was lost ({_words(error)})", error)
    kind, advice = _classify(stage, error)
    if is_encrypted and stage == "greeting" and kind in _AFTER_HANDSHAKE:
        advice = _AFTER_HANDSHAKE[kind]
    return kind(transport, f"{_words(error)}. {advice}", stage=stage, nothing_handed_over=True)


def _unknown(transport: str, fault: str, cause: Reply | Exception) -> OutcomeUnknown:
    detail = (
        f"the whole message was handed over, then {fault}. It may have been accepted: look for its"
        " Message-ID in the relay's log before sending it by hand."
    )
    if isinstance(cause, Reply):
        return OutcomeUnknown(transport, detail, cause.code, cause.enhanced_code, FINAL_REPLY)
    return OutcomeUnknown(transport, detail, stage=FINAL_REPLY)


def _classify(stage: str, error: Exception) -> tuple[type[DeliveryError], str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsFailed, advise_certificate(error)
    if isinstance(error, TimeoutError):
        return TimedOut, advise_silence(stage)
    if isinstance(error, ssl.SSLError) and not isinstance(error, _CUT_OFF):
        return TlsFailed, advise_tls(error)
    if isinstance(error, MalformedReply):
        kind = _BROKEN_KINDS.get(stage, ConnectionFailed)
        return kind, advise_broken(stage, str(error).strip("'\""))
    if isinstance(error, socket.gaierror):
        kind = UnknownHost if error.errno in _NO_SUCH_HOST else ConnectionFailed
        return kind, f"Check the host name in {ADDRESS}, and this host's DNS."
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
    if isinstance(error, ssl.SSLError) and (reason := reason_of(error)):
        return f"the TLS connection failed: {reason.replace('_', ' ').lower()}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
