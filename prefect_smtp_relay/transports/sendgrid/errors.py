"""The one place that turns SendGrid's answers and httpx's exceptions into `EmailError`."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import NamedTuple

import httpx
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    ConnectionFailed,
    DeliveryError,
    EmailError,
    OutcomeUnknown,
    PermanentFailure,
    RelayConfigurationError,
    TimedOut,
    TlsFailed,
    TransientFailure,
)
from prefect_smtp_relay.transports.sendgrid.answer import Answer
from prefect_smtp_relay.transports.sendgrid.config import EU_URL, GLOBAL_URL, key_hint
from prefect_smtp_relay.transports.sendgrid.limits import MAX_OCTETS
from prefect_smtp_relay.transports.sendgrid.redaction import redact

POST = "POST /v3/mail/send"

_UNREACHED = "Check the network, api_url, and a proxy that HTTPS_PROXY may name."
_SLOW = "Raise timeout_seconds of the SendGrid block, or check the network."


class _Reading(NamedTuple):
    """What an exception means while the request had not gone out as a whole."""

    error: type[DeliveryError]
    stage: str
    text: str


_NO_CONNECTION = _Reading(ConnectionFailed, "connect", f"no connection. {_UNREACHED}")
_NOT_IN_TIME = _Reading(TimedOut, "connect", f"no connection in time. {_SLOW}")
_LOST = _Reading(
    ConnectionFailed, POST, f"the connection was lost before the request had gone out. {_UNREACHED}"
)
_STUCK = _Reading(TimedOut, POST, f"the request could not be handed over in time. {_SLOW}")
_MISUSED = _Reading(
    PermanentFailure, POST, "the HTTP library refused the request. Report this as a bug."
)

BEFORE_HAND_OVER: dict[type[Exception], _Reading] = {
    httpx.ConnectError: _NO_CONNECTION,
    httpx.ConnectTimeout: _NOT_IN_TIME,
    httpx.PoolTimeout: _NOT_IN_TIME,
    httpx.ProxyError: _Reading(
        ConnectionFailed,
        "connect",
        "the proxy made no connection. Check HTTPS_PROXY, or name the host in NO_PROXY.",
    ),
    **dict.fromkeys((httpx.WriteTimeout, httpx.ReadTimeout, httpx.TimeoutException), _STUCK),
    **dict.fromkeys((httpx.WriteError, httpx.ReadError, httpx.CloseError), _LOST),
    **dict.fromkeys((httpx.RemoteProtocolError, httpx.ProtocolError, httpx.NetworkError), _LOST),
    **dict.fromkeys((httpx.TransportError, httpx.RequestError, httpx.HTTPError), _LOST),
    **dict.fromkeys((httpx.LocalProtocolError, httpx.DecodingError), _MISUSED),
    **dict.fromkeys((httpx.TooManyRedirects, httpx.HTTPStatusError), _MISUSED),
    **dict.fromkeys((httpx.StreamError, httpx.StreamConsumed, httpx.StreamClosed), _MISUSED),
    **dict.fromkeys((httpx.ResponseNotRead, httpx.RequestNotRead, httpx.CookieConflict), _MISUSED),
}
"""Every exception of httpx but those of `MISCONFIGURED`."""

MISCONFIGURED: tuple[type[Exception], ...] = (
    *(httpx.InvalidURL, httpx.UnsupportedProtocol),
    *(OSError, ValueError, ImportError),
)
"""Raised for a wrong URL, and while the environment's proxies and CA certificates are read."""

FOREIGN: tuple[type[Exception], ...] = (*BEFORE_HAND_OVER, *MISCONFIGURED)
"""All that `translate` takes."""


def translate(
    error: Exception, transport: str, *, handed_over: bool, request: str = POST
) -> EmailError:
    """Turn an exception of `FOREIGN` into ours.

    Its own text is left out, but for the operating system's.

    Args:
        error: what httpx, or the building of its client, raised.
        transport: the transport's loggable name.
        handed_over: whether the whole request had gone out.
        request: method and path; a question that gets no answer has done nothing.
    """
    if handed_over and request != POST:
        detail = f"no whole answer came back in time. {_SLOW}"
        return TimedOut(transport, detail, stage=request)
    if handed_over:
        return OutcomeUnknown(
            transport,
            "the mail was handed over and no whole answer came back in time: it may have been"
            " accepted. Look for it in SendGrid's activity feed before sending it by hand; raise"
            " timeout_seconds of the SendGrid block if this happens often.",
            stage=POST,
        )
    if isinstance(error, MISCONFIGURED):
        reason = str(error) if isinstance(error, OSError) else type(error).__name__
        return RelayConfigurationError(
            f"{transport}: no connection could be prepared ({reason}). Check api_url of the"
            " SendGrid block, and the environment's HTTPS_PROXY, ALL_PROXY (socks5:// needs"
            " httpx[socks]), SSL_CERT_FILE and SSL_CERT_DIR."
        )
    if (problem := _tls_problem(error)) is not None:
        return TlsFailed(transport, problem, stage="connect")
    reading = next(BEFORE_HAND_OVER[c] for c in type(error).__mro__ if c in BEFORE_HAND_OVER)
    return reading.error(transport, reading.text, stage=reading.stage)


def cause(error: Exception, api_key: SecretStr) -> Exception | None:
    """Return an exception as the cause of ours, unless its text repeats a secret.

    That of a wrong proxy may hold the proxy's password, and that of an answer which is no HTTP
    holds a line of it, which may echo the key.
    """
    is_tellable = isinstance(error, OSError) or not isinstance(error, MISCONFIGURED)
    return error if is_tellable and redact(str(error), api_key) == str(error) else None


def refusal(
    answer: Answer, transport: str, *, api_key: SecretStr, size: int = 0, request: str = POST
) -> DeliveryError:
    """Turn an answer that accepts nothing into an error.

    Args:
        answer: what came back.
        transport: the transport's loggable name.
        api_key: is replaced wherever the answer repeats it.
        size: octets of the request, for 413.
        request: method and path.

    Returns:
        The error, with SendGrid's reason and what to change; ``retry_after`` is the wait that it
        asks for.
    """
    wait = answer.seconds_to_wait(datetime.now(UTC))
    kind, advice = _judge(answer, size, wait)
    if answer.status == 401:
        advice = f"{advice} {key_hint(api_key)}".strip()
    reason = answer.explain(api_key)
    detail = f"{answer.status_line}: {reason.rstrip('.')}." if reason else f"{answer.status_line}."
    error = kind(transport, f"{detail} {advice}", answer.status, "", request)
    error.retry_after = None if wait is None else float(wait)
    return error


def _judge(answer: Answer, size: int, wait: int | None) -> tuple[type[DeliveryError], str]:
    status = answer.status
    if status in _ADVICE:
        return _ADVICE[status]
    if status == 413:
        return PermanentFailure, (
            f"The request has {size} octets; SendGrid takes 30 MB ({MAX_OCTETS} octets). Attach"
            " less, or link to the files."
        )
    if status == 429:
        named = "a while" if wait is None else f"{wait} seconds"
        return TransientFailure, (
            f"Too many requests: wait {named} before the next, and spread the mails over more time."
        )
    if status >= 500:
        return TransientFailure, "The trouble is SendGrid's; try again later (status.sendgrid.com)."
    if status >= 400:
        return PermanentFailure, "Change what the reason names."
    return PermanentFailure, (
        "This is no answer of SendGrid's to a mail, and redirects are not followed. Check api_url"
        " of the SendGrid block."
    )


_ADVICE: dict[int, tuple[type[DeliveryError], str]] = {
    401: (
        AuthenticationFailed,
        "The API key is not accepted. Set api_key of the SendGrid block to a key that exists;"
        f" one of an EU account is known to {EU_URL} only (api_url). Where the reason speaks of"
        " credits, raise the account's plan.",
    ),
    403: (
        AuthenticationFailed,
        "Give the API key the scope mail.send, and set from_address of the SendGrid block to a"
        " sender that is verified in the account.",
    ),
    404: (PermanentFailure, "Check api_url of the SendGrid block."),
    # RFC 9110, section 15.5.9: the request did not arrive, and may be repeated.
    408: (TransientFailure, "The mail did not arrive there in time; try again later."),
    451: (
        PermanentFailure,
        "The account's data may not be handled in this region. Set api_url of the SendGrid block to"
        f" {EU_URL}, or to {GLOBAL_URL} for accounts that are not in the EU.",
    ),
}


def _tls_problem(error: BaseException | None) -> str | None:
    """Find what TLS itself objected to; a connection lost in the handshake is not that.

    httpcore drops the cause and leaves the context, which behind the first OSError is the caller's.
    """
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate is not trusted: {error.verify_message.rstrip('.')}. Check api_url,"
            " or let SSL_CERT_FILE name the CA of a proxy that decrypts."
        )
    is_lost = isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
    if is_lost or not isinstance(error, ssl.SSLError):
        return None
    return "the TLS handshake failed. Check that api_url names a port that speaks TLS."
