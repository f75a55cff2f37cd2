"""The connections that a process keeps, a pool for each server, and one request through one."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpcore
import httpx

from prefect_smtp_relay.transports.sendgrid.answer import BODY_LIMIT, Answer
from prefect_smtp_relay.transports.sendgrid.network import Progress, bounded_by
from prefect_smtp_relay.transports.sendgrid.pool import (
    FAILURES,
    in_terms_of_httpx,
    make_pool,
    parse_url,
)

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
        api_url: of the server; all requests to it share its connections.
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
    pool = _pool_of(api_url)
    while True:
        progress.begin()
        try:
            with in_terms_of_httpx():
                return _ask(pool, request, progress)
        except _LOST:
            if progress.handed_over or not progress.is_kept:
                raise


def _ask(pool: httpcore.ConnectionPool, request: ApiRequest, progress: Progress) -> Answer:
    options: dict[str, Any] = {
        "headers": request.headers,
        "content": request.body or None,
        "extensions": {"trace": progress.observe},
    }
    url = parse_url(request.url)
    with bounded_by(progress), pool.stream(request.method, url, **options) as response:
        fields = response.headers
        headers = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in fields}
        return Answer(response.status, headers, _read(response))


def _read(response: httpcore.Response) -> bytes:
    body = b""
    with suppress(*FAILURES):
        for chunk in response.iter_stream():
            body += chunk
            if len(body) > BODY_LIMIT:
                break
    return body[:BODY_LIMIT]


_pools: dict[str, httpcore.ConnectionPool] = {}
_lock = threading.Lock()


def _pool_of(api_url: str) -> httpcore.ConnectionPool:
    with _lock:
        if api_url not in _pools:
            _pools[api_url] = make_pool(api_url)
        return _pools[api_url]


def close_all() -> None:
    """Close the kept connections; what comes later opens new ones."""
    with _lock:
        pools = list(_pools.values())
        _pools.clear()
    for pool in pools:
        pool.close()


def _forget() -> None:
    """Begin anew in a forked child: the connections are its parent's, and so may the lock be."""
    global _pools, _lock
    _pools, _lock = {}, threading.Lock()


atexit.register(close_all)
if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_forget)
