"""The HTTP clients that a process keeps, one for each server, and one request through one."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from prefect_smtp_relay.transports.sendgrid.answer import BODY_LIMIT, Answer
from prefect_smtp_relay.transports.sendgrid.httpx_transport import Transport
from prefect_smtp_relay.transports.sendgrid.network import Progress, bounded_by

_LOST = (httpx.NetworkError, httpx.RemoteProtocolError)


@dataclass(frozen=True)
class ApiRequest:
    """One request; its headers hold the API key.

    Args:
        url: where it goes.
        headers: the HTTP headers.
        body: the JSON, or nothing.
        method: of HTTP.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    method: str = "POST"


def exchange(api_url: str, request: ApiRequest, progress: Progress) -> Answer:
    """Ask once over a kept connection or a new one, and read the answer.

    The server may have closed a kept connection a moment ago. While the request has not gone out
    as a whole, nothing can have been accepted: then another connection takes it. A request that
    has gone out is never repeated.

    Args:
        api_url: of the server; all requests to it share a client.
        request: what to ask or submit.
        progress: bounds it, and is told how far it got.

    Returns:
        The status and what came of the body: once the status is there, a body that is cut off,
        too long or too slow changes nothing.

    Raises:
        httpx.HTTPError: there is no answer.
        OSError, ValueError, ImportError: what the environment says about proxies or CA
            certificates cannot be used.
    """
    client = _client_of(api_url)
    while True:
        progress.begin()
        try:
            return _ask(client, request, progress)
        except _LOST:
            if progress.handed_over or not progress.is_kept:
                raise


def _ask(client: httpx.Client, request: ApiRequest, progress: Progress) -> Answer:
    message = httpx.Request(
        request.method,
        _parse_url(request.url),
        headers=request.headers,
        content=request.body,
        extensions={"trace": progress.observe},
    )
    with bounded_by(progress), closing(client.send(message, stream=True)) as response:
        fields = response.headers.raw
        headers = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in fields}
        return Answer(response.status_code, headers, _read(response))


_parse_url = lru_cache(maxsize=32)(httpx.URL)  # as costly as making the mail's JSON


def _read(response: httpx.Response) -> bytes:
    body = b""
    with suppress(httpx.HTTPError):
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > BODY_LIMIT:
                break
    return body[:BODY_LIMIT]


_clients: dict[str, httpx.Client] = {}
_lock = threading.Lock()


def _client_of(api_url: str) -> httpx.Client:
    with _lock:
        if api_url not in _clients:
            _clients[api_url] = _make_client(api_url)
        return _clients[api_url]


def _make_client(api_url: str) -> httpx.Client:
    """Make one that adds no credentials of the environment's, and shares nothing but connections.

    Accounts share it: a cookie that is kept could tell SendGrid of one in a request of another.
    """
    return httpx.Client(
        transport=Transport(httpx.URL(api_url)),
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def close_all() -> None:
    """Close the kept connections; what comes later opens new ones."""
    with _lock:
        clients = list(_clients.values())
        _clients.clear()
    for client in clients:
        client.close()


def _forget() -> None:
    """Begin anew in a forked child: the connections are its parent's, and so may the lock be."""
    global _clients, _lock
    _clients, _lock = {}, threading.Lock()


atexit.register(close_all)
if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_forget)
