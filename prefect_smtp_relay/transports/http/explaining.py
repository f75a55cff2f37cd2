"""The one place that reads what httpx and the operating system raise."""

from __future__ import annotations

import socket
import ssl

import httpx

from prefect_smtp_relay.transports.http.values import NoAnswer, Stage

LOST = (httpx.NetworkError, httpx.RemoteProtocolError)
"""The connection ended."""

MISCONFIGURED = (httpx.InvalidURL, httpx.UnsupportedProtocol, OSError, ValueError, ImportError)
"""Raised for a wrong URL, and while the environment's proxies and CA certificates are read."""

_LATE = (httpx.TimeoutException, TimeoutError)
_LOST_IN_HANDSHAKE = (ssl.SSLEOFError, ssl.SSLZeroReturnError)


def explain(error: Exception, stage: Stage) -> NoAnswer:
    """Say what an exception means for a request that had come so far."""
    if isinstance(error, _LATE):
        return NoAnswer("late", stage)
    if stage == "answer":
        return NoAnswer("lost", stage)
    if isinstance(error, httpx.ProxyError):
        return NoAnswer("proxy", "connect")
    if isinstance(error, MISCONFIGURED):
        # The text of an error about a URL may repeat a proxy's password.
        reason = str(error) if isinstance(error, OSError) else type(error).__name__
        return NoAnswer("configuration", "connect", reason)
    beneath = _beneath(error)
    if isinstance(beneath, socket.gaierror) and beneath.errno == socket.EAI_NONAME:
        return NoAnswer("unknown", "connect")
    if isinstance(beneath, ssl.SSLCertVerificationError):
        return NoAnswer("tls", "connect", beneath.verify_message.rstrip("."))
    if isinstance(beneath, ssl.SSLError) and not isinstance(beneath, _LOST_IN_HANDSHAKE):
        return NoAnswer("tls", "connect")
    return NoAnswer("lost" if isinstance(error, LOST) else "misused", stage)


def _beneath(error: BaseException | None) -> BaseException | None:
    """Find what the operating system or TLS said.

    httpcore drops the cause and leaves the context, which beneath the first OSError is the
    caller's.
    """
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error
