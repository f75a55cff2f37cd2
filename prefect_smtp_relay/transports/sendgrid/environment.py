"""What the environment says about proxies and CA certificates."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from urllib.request import getproxies, proxy_bypass

import httpx


def proxy_for(url: httpx.URL) -> httpx.Proxy | None:
    """Read HTTPS_PROXY, ALL_PROXY and NO_PROXY.

    Without TLS there is no proxy: such a server is on this host, and a proxy could read the key.

    Raises:
        httpx.InvalidURL, ValueError: no proxy can have that URL.
    """
    # NO_PROXY names an IPv6 address with brackets or without.
    if url.scheme != "https" or any(map(proxy_bypass, (url.netloc.decode("ascii"), url.host))):
        return None
    named = getproxies()
    proxy = named.get("https") or named.get("all")
    if not proxy:
        return None
    return httpx.Proxy(proxy if "://" in proxy else f"http://{proxy}")


def tls_context() -> ssl.SSLContext:
    """Give the context that verifies every certificate.

    Raises:
        OSError: SSL_CERT_FILE names no readable file of certificates.
    """
    return _read_certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=4)
def _read_certificates(_file: str | None, _directory: str | None) -> ssl.SSLContext:
    """Build it once for what the environment says: reading the CA bundle costs some 30 ms."""
    return httpx.create_ssl_context()
