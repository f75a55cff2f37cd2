"""The HTTP requests of this process to the Prefect API: all pass through `httpx.Client.send`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import httpx


@contextmanager
def counting_requests() -> Iterator[list[str]]:
    """Give a list that gets the method and path of each HTTP request of the process."""
    seen: list[str] = []
    send = httpx.Client.send

    def counted(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        seen.append(f"{request.method} {request.url.path}")
        return send(client, request, **options)

    with mock.patch.object(httpx.Client, "send", counted):
        yield seen
