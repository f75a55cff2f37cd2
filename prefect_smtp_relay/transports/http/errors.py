"""The one place that turns an HTTP failure into an `EmailError`."""

from __future__ import annotations

import httpx

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    EmailError,
    PermanentFailure,
    RelayConfigurationError,
    TimedOut,
    TlsFailed,
    UnknownHost,
)
from prefect_smtp_relay.transports.http.values import NoAnswer
from prefect_smtp_relay.transports.redaction import Redactor

_NETWORK = "Check the network, {url}, and a proxy that HTTPS_PROXY may name."
_SLOW = (
    "Raise *Advanced: Timeout in seconds* (`timeout_seconds`) in the block, or check the network."
)
_TEXTS = {
    ("connect", "late"): f"no connection to {{peer}} in time. {_SLOW}",
    ("connect", "lost"): f"no connection to {{peer}}. {_NETWORK}",
    ("connect", "unknown"): "DNS knows no host of the name in {url}. Check it for a typo, and DNS.",
    ("connect", "proxy"): "the proxy made no connection to {peer}. Check HTTPS_PROXY, or name the"
    " host in NO_PROXY.",
    ("request", "late"): f"the request could not be written to {{peer}} in time. {_SLOW}",
    ("request", "lost"): "the connection to {peer} was lost before the request had gone out."
    f" {_NETWORK}",
    ("answer", "late"): f"{{peer}} gave no whole answer in time. {_SLOW}",
    ("answer", "lost"): f"the connection to {{peer}} was lost before the whole answer came."
    f" {_NETWORK}",
}


def translate(
    failure: NoAnswer, transport: str, *, peer: str, url_field: str, stage: str
) -> EmailError:
    """Say what happened to a request that cannot have changed anything, and what to do.

    Args:
        failure, transport, stage: of the error.
        peer, url_field: who was asked, and the block's field for its URL, in words.
    """
    if failure.kind == "configuration":
        return RelayConfigurationError(
            f"{transport} ({stage}): no connection could be prepared to {peer} ({failure.reason})",
            f"Check {url_field}, and the environment's HTTPS_PROXY, ALL_PROXY (socks5:// needs"
            " httpx[socks]), SSL_CERT_FILE and SSL_CERT_DIR.",
        )
    if failure.kind == "tls" and failure.reason:
        return TlsFailed(
            transport,
            f"the certificate of {peer} is not trusted: {failure.reason}. Check {url_field}, or let"
            " SSL_CERT_FILE name the CA, such as that of a proxy that decrypts.",
            stage=stage,
        )
    if failure.kind == "tls":
        detail = (
            f"the TLS handshake with {peer} failed. Check that {url_field} names a port that speaks"
            " TLS."
        )
        return TlsFailed(transport, detail, stage=stage)
    if failure.kind == "misused":
        detail = "the HTTP library refused the request. Report this as a bug."
        return PermanentFailure(transport, detail, stage=stage)
    detail = _TEXTS[failure.stage, failure.kind].format(peer=peer, url=url_field)
    kind = {"late": TimedOut, "unknown": UnknownHost}.get(failure.kind, ConnectionFailed)
    return kind(transport, detail, stage=stage)


def cause(failure: NoAnswer, redactor: Redactor) -> BaseException | None:
    """Return httpx's exception as the cause of ours, unless its text may repeat a secret.

    That of a wrong proxy may contain the proxy's password, and that of an answer which is not HTTP
    contains a line of it.
    """
    error = failure.__cause__
    is_tellable = isinstance(error, (OSError, httpx.TransportError)) and not isinstance(
        error, httpx.UnsupportedProtocol
    )
    return error if is_tellable and not redactor.hides(str(error)) else None
