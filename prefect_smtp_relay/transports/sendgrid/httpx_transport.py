"""Carries httpx's requests over connections of httpcore's, as httpx's own transport does.

That one lets nobody choose the network under it, and so bounds neither a whole answer nor DNS.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

from prefect_smtp_relay.transports.sendgrid.environment import proxy_for, tls_context
from prefect_smtp_relay.transports.sendgrid.network import BoundedNetwork

_KEPT_SECONDS = 15.0
_MOST_KEPT = 10


class Transport(httpx.BaseTransport):
    """The connections to one server, through a proxy where the environment names one.

    They speak HTTP/1.1. HTTP/2 gains nothing for mails one after the other, and costs more time
    of the processor; mails at once have connections enough.

    Args:
        url: of the server.

    Raises:
        OSError, ValueError, ImportError: what the environment says cannot be used.
    """

    def __init__(self, url: httpx.URL) -> None:
        self._pool = _make_pool(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request; its content is in memory.

        Raises:
            httpx.HTTPError: there is no answer.
        """
        url = request.url
        with _in_terms_of_httpx():
            response = self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    _as_httpcore(url, url.raw_path),
                    headers=request.headers.raw,
                    content=request.content,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            response.status, headers=response.headers, stream=_Body(response.stream)
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with _in_terms_of_httpx():
            yield from self._stream

    def close(self) -> None:
        self._stream.close()


def _make_pool(url: httpx.URL) -> httpcore.ConnectionPool:
    options: dict[str, Any] = {
        "ssl_context": tls_context(),
        "max_connections": None,
        "max_keepalive_connections": _MOST_KEPT,
        "keepalive_expiry": _KEPT_SECONDS,
        "network_backend": BoundedNetwork(),
    }
    proxy = proxy_for(url)
    if proxy is None:
        return httpcore.ConnectionPool(**options)
    options |= {"proxy_url": _as_httpcore(proxy.url, b"/"), "proxy_auth": proxy.raw_auth}
    if proxy.url.scheme.startswith("socks5"):
        importlib.import_module("socksio")  # httpcore would find out only when it connects
        return httpcore.SOCKSProxy(**options)
    if proxy.url.scheme == "https":
        options["proxy_ssl_context"] = tls_context()
    return httpcore.HTTPProxy(**options)


def _as_httpcore(url: httpx.URL, target: bytes) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=target)


@contextmanager
def _in_terms_of_httpx() -> Iterator[None]:
    """Raise httpx's exception of the same name."""
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.ProxyError,
        httpcore.UnsupportedProtocol,
    ) as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error
