"""Kept connections to SendGrid, and one request over one of them."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from prefect_smtp_relay.transports.sendgrid.answer import BODY_LIMIT, Answer

_KEPT_SECONDS = 15.0
_MOST_KEPT = 8


@dataclass(frozen=True)
class ApiRequest:
    """One request; its headers hold the API key.

    Args:
        url: where it goes.
        headers: the HTTP headers.
        body: the JSON, or nothing.
        timeout: seconds for the connection, for each write, and for the answer as a whole.
        method: of HTTP.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    timeout: float
    method: str = "POST"


@dataclass
class Progress:
    """How far a request got: once the last octet went out, SendGrid may have accepted a mail."""

    handed_over: bool = False


class Connection:
    """One kept connection, used by one request at a time.

    httpx bounds each read, so an answer of one octet a second would never end: a timer shuts
    the socket. Which socket that is, httpx tells only while it connects; hence one client for
    each connection.
    """

    def __init__(self) -> None:
        self._client = httpx.Client(
            verify=tls_context(),
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=httpx.Limits(max_connections=1, keepalive_expiry=_KEPT_SECONDS),
        )
        self._socket: socket.socket | None = None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def exchange(self, request: ApiRequest, progress: Progress) -> Answer:
        """Ask once, and read the answer.

        Args:
            request: what to ask or submit.
            progress: is told when the request has gone out.

        Returns:
            The status and what came of the body: once the status is there, a body that is
            cut off, too long or too slow changes nothing.

        Raises:
            httpx.HTTPError: there is no answer.
        """
        watch = _Watch(self, request.timeout, progress)
        try:
            with self._client.stream(
                request.method,
                request.url,
                content=request.body,
                headers=request.headers,
                timeout=request.timeout,
                extensions={"trace": watch.observe},
            ) as response:
                return Answer(response.status_code, dict(response.headers), _read(response))
        finally:
            watch.end()

    def remember(self, stream: Any) -> None:
        """Note the socket of a new connection."""
        self._socket = stream.get_extra_info("socket")

    def shut(self) -> None:
        """End whatever reads from the socket, from another thread."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class _Watch:
    """Follows one request through httpx's ``trace`` extension, and bounds its answer."""

    def __init__(self, connection: Connection, timeout: float, progress: Progress) -> None:
        self._connection = connection
        self._timeout = timeout
        self._progress = progress
        self._method = b""
        self._timer: threading.Timer | None = None

    def observe(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of an event; a proxy's tunnel brings those of its CONNECT request too."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._connection.remember(info["return_value"])
        elif event.endswith(".send_request_headers.started"):
            self._method = info["request"].method
        elif event.endswith(".send_request_body.complete"):
            self._progress.handed_over = self._method != b"CONNECT"
            self._bound_the_answer()

    def _bound_the_answer(self) -> None:
        self.end()
        timer = threading.Timer(self._timeout, self._connection.shut)
        timer.daemon = True
        # No thread to be had, as while the interpreter ends: the bound of each read remains.
        with suppress(RuntimeError):
            timer.start()
            self._timer = timer

    def end(self) -> None:
        """Stop the timer; joined, so that it never shuts a connection that serves the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()


def _read(response: httpx.Response) -> bytes:
    body = b""
    with suppress(httpx.HTTPError):
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > BODY_LIMIT:
                break
    return body[:BODY_LIMIT]


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """Build the TLS context once: reading the CA bundle costs some 30 ms.

    Raises:
        OSError: SSL_CERT_FILE names no readable file of certificates.
    """
    return httpx.create_ssl_context()


_kept: dict[tuple[int, str], list[Connection]] = {}
_lock = threading.Lock()


@contextmanager
def lease(api_url: str) -> Iterator[Connection]:
    """Lend a connection to one request; one that failed is closed, any other is kept.

    Args:
        api_url: connections are kept for each URL, and never shared with a forked process.

    Raises:
        OSError, ValueError, ImportError: what the environment says about proxies or CA
            certificates cannot be used.
    """
    with _lock:
        kept = _kept.setdefault((os.getpid(), api_url), [])
        connection = kept.pop() if kept else None
    connection = connection or Connection()
    try:
        yield connection
    except BaseException:
        connection.close()
        raise
    with _lock:
        is_kept = len(kept) < _MOST_KEPT
        if is_kept:
            kept.append(connection)
    if not is_kept:
        connection.close()
