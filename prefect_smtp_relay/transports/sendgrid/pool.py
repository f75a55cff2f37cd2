"""The connections to one server, and their errors.

httpcore is what carries httpx's requests. Alone it costs half the time of a client of httpx, lets
us choose the network under it, which bounds what httpx does not (a whole answer, DNS), and has no
redirects, cookies or netrc to switch off.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import httpcore
import httpx

from prefect_smtp_relay.transports.sendgrid.environment import proxy_for, tls_context
from prefect_smtp_relay.transports.sendgrid.network import BoundedNetwork

FAILURES = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)
"""All that httpcore raises for a request."""

_KEPT_SECONDS = 15.0
_MOST_KEPT = 10


def make_pool(api_url: str) -> httpcore.ConnectionPool:
    """Make the pool of a server's connections, through a proxy where the environment names one.

    They speak HTTP/1.1. HTTP/2, measured with one and with ten mails at once, is no faster on a
    line of 40 ms, and takes twice the time near by.

    Args:
        api_url: of the server.

    Raises:
        OSError, ValueError, ImportError, httpx.InvalidURL: what the environment says about
            proxies or CA certificates cannot be used.
    """
    options: dict[str, Any] = {
        "ssl_context": tls_context(),
        "max_connections": None,
        "max_keepalive_connections": _MOST_KEPT,
        "keepalive_expiry": _KEPT_SECONDS,
        "network_backend": BoundedNetwork(),
    }
    proxy = proxy_for(httpx.URL(api_url))
    if proxy is None:
        return httpcore.ConnectionPool(**options)
    options |= {"proxy_url": _as_httpcore(proxy.url), "proxy_auth": proxy.raw_auth}
    if proxy.url.scheme.startswith("socks5"):
        importlib.import_module("socksio")  # httpcore would find out only when it connects
        return httpcore.SOCKSProxy(**options)
    if proxy.url.scheme == "https":
        options["proxy_ssl_context"] = tls_context()
    return httpcore.HTTPProxy(**options)


@lru_cache(maxsize=32)
def parse_url(url: str) -> httpcore.URL:
    """Read a URL as httpx does, which knows non-ASCII hosts.

    Raises:
        httpx.InvalidURL: it is none.
    """
    return _as_httpcore(httpx.URL(url))


@contextmanager
def in_terms_of_httpx() -> Iterator[None]:
    """Raise httpx's exception of the same name for each of `FAILURES`."""
    try:
        yield
    except FAILURES as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error


def _as_httpcore(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )
