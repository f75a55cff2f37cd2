"""The connections to HTTP servers that this process keeps, each in a client of its own."""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
import ssl
import threading
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx

_MAX_IDLE = 10
_IDLE_SECONDS = 15.0


class Connection:
    """A client of httpx, and a handle on its one connection, by which any thread can cut it."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.reads = 0
        """How often the connection was read from."""
        self._handle: socket.socket | None = None

    def observe(self, event: str, info: Mapping[str, Any]) -> None:
        """Follow the connection by the events of httpx's ``trace``."""
        if event.endswith(".connect_tcp.complete"):
            self._drop()
            # A descriptor of one's own: TLS takes the socket that it wraps away from others.
            sock = info["return_value"].get_extra_info("socket")
            self._handle = socket.socket(fileno=os.dup(sock.fileno()))
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._count_reads(info["return_value"])

    def cut(self) -> None:
        """End whatever waits on the connection."""
        if self._handle is not None:
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self.client.close()
        self._drop()

    def _drop(self) -> None:
        if self._handle is not None:
            self._handle.close()

    def _count_reads(self, stream: Any) -> None:
        read = stream.read

        def counted(max_bytes: int, timeout: float | None = None) -> Any:
            self.reads += 1
            return read(max_bytes, timeout)

        stream.read = counted


class Connections:
    """Those that no request uses at present; an object of the process memory.

    They speak HTTP/1.1: HTTP/2, measured with one and with ten mails at once, is no faster on a
    line of 40 ms, and takes twice the time near by.
    """

    def __init__(self) -> None:
        self._idle: dict[str, list[Connection]] = {}
        self._contexts: dict[tuple[str | None, ...], ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def take(self, url: httpx.URL) -> Connection:
        """Give a client that is idle, or a new one, as the environment wants it."""
        with self._lock:
            if idle := self._idle.get(_origin(url)):
                return idle.pop()
            return Connection(_make_client(url, self._tls_context(url)))

    def give_back(self, url: httpx.URL, connection: Connection) -> None:
        """Keep a client for the next request."""
        with self._lock:
            idle = self._idle.setdefault(_origin(url), [])
            if len(idle) < _MAX_IDLE:
                idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close what is idle; later requests open new connections."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()

    def _tls_context(self, url: httpx.URL) -> ssl.SSLContext:
        """Verify every certificate. It is built once: reading the CA bundle takes some 30 ms."""
        if url.scheme != "https":
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and is not used
        named = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
        if named not in self._contexts:
            self._contexts[named] = httpx.create_ssl_context()
        return self._contexts[named]


def proxy_for(url: httpx.URL) -> str | None:
    """Read HTTPS_PROXY, ALL_PROXY and NO_PROXY.

    Without TLS there is no proxy: such a server is on this host, and a proxy could read the
    secrets. httpx's own reading refuses ``[::1]`` in NO_PROXY.
    """
    # NO_PROXY names an IPv6 address with brackets or without.
    if url.scheme != "https" or any(map(proxy_bypass, (url.netloc.decode("ascii"), url.host))):
        return None
    named = getproxies()
    proxy = named.get("https") or named.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _make_client(url: httpx.URL, context: ssl.SSLContext) -> httpx.Client:
    named = proxy_for(url)
    proxy = httpx.Proxy(named) if named else None
    if proxy and proxy.url.scheme == "https":
        proxy.ssl_context = context
    if proxy and proxy.url.scheme.startswith("socks5"):
        importlib.import_module("socksio")  # httpx's own error is a text without a class
    return httpx.Client(
        verify=context,
        proxy=proxy,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        limits=httpx.Limits(max_connections=1, keepalive_expiry=_IDLE_SECONDS),
    )
