"""A temporary Prefect server that counts what it is asked: ``python -m benchmarks.prefect_api``.

It keeps its database in PREFECT_HOME, prints its API's URL once it answers, and ends with its
standard input. ``GET /counted`` gives the HTTP requests since the last time, by method and path.
What goes over websockets, as events and task runs do, is not a request that anybody waits for.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.processes import NotStarted, module

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_HOST = "127.0.0.1"
_START_SECONDS = 180


class PrefectApi:
    """A running server.

    Args:
        url: for PREFECT_API_URL.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def take_count(self) -> Counter[str]:
        """Give the requests since the last call, such as ``POST /api/logs/``."""
        with urllib.request.urlopen(f"{self.url.removesuffix('/api')}/counted") as answer:  # noqa: S310  # our own server
            return Counter(json.load(answer))


@contextmanager
def own_prefect_api() -> Iterator[PrefectApi]:
    """Run a server, and let this process ask it: before Prefect is imported here.

    Its first start makes a database, which takes half a minute.
    """
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]  # they are about another server
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ |= {
            "PREFECT_HOME": home,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",
        }
        with module("prefect_api") as url:
            os.environ["PREFECT_API_URL"] = url
            yield PrefectApi(url)


class _Counting:
    """Counts the requests to another app, in front of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._counted: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/counted":
            counted, self._counted = self._counted, Counter()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": json.dumps(counted).encode()})
            return
        if scope["type"] == "http":
            self._counted[f"{scope['method']} {scope['path']}"] += 1
        await self._app(scope, receive, send)


def _serve(listening: socket.socket) -> None:
    import uvicorn
    from prefect.server.api.server import create_app

    config = uvicorn.Config(_Counting(create_app()), log_level="error")
    uvicorn.Server(config).run(sockets=[listening])


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{url}/health", timeout=5).close()  # noqa: S310  # our own server
        except OSError as error:
            if time.monotonic() > deadline:
                raise NotStarted(f"{url} does not answer: {error}") from error
            time.sleep(0.1)
        else:
            return


def main() -> None:
    """Serve until standard input ends."""
    listening = socket.create_server((_HOST, 0))
    url = f"http://{_HOST}:{listening.getsockname()[1]}/api"
    threading.Thread(target=_serve, args=(listening,), daemon=True).start()
    _wait_until_ready(url)
    print(url, flush=True)
    sys.stdin.read()
    os._exit(0)  # the server's threads would go on


if __name__ == "__main__":
    main()
