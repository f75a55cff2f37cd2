"""A proxy before object storage that fails as networks and services do."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["", "before", "after", "middle", "busy", "forbidden"]
"""The connection is cut before the store gets the request, after it, or in the middle of the
answer; or the store answers 503 or 403."""

_ANSWERS = {"busy": (503, b"ServiceUnavailable"), "forbidden": (403, b"AccessDenied")}


class FailingStorage(ThreadingHTTPServer):
    """Passes requests on, or fails them.

    Args:
        endpoint: the storage's address.

    Attributes:
        fault: what happens to the next requests.
        count: how many requests it happens to.
    """

    daemon_threads = True

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.storage = urlsplit(endpoint).netloc
        self.fault: Fault = ""
        self.count = 0

    @property
    def endpoint(self) -> str:
        """The proxy's own address."""
        return f"http://127.0.0.1:{self.server_port}"

    def fail(self, fault: Fault, count: int = 1000) -> None:
        """Let the next requests fail."""
        self.fault, self.count = fault, count

    def next_fault(self) -> Fault:
        """Take one."""
        if not self.count:
            return ""
        self.count -= 1
        return self.fault


class _Handler(BaseHTTPRequestHandler):
    server: FailingStorage
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline()
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self._body()
        fault = self.server.next_fault()
        if fault in _ANSWERS:
            status, code = _ANSWERS[fault]
            self._answer(status, b"<Error><Code>%s</Code><Message>m</Message></Error>" % code)
        elif fault == "before":
            self.close_connection = True
        else:
            self._pass_on(body, fault)

    def _pass_on(self, body: bytes, fault: Fault) -> None:
        storage = http.client.HTTPConnection(self.server.storage)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "expect"}
        storage.request(self.command, self.path, body, headers)
        answer = storage.getresponse()
        data = answer.read()
        storage.close()
        if fault == "after":
            self.close_connection = True
            return
        if fault == "middle" and not data:
            self.wfile.write(b"HTTP/1.1 20")
            self.close_connection = True
            return
        self._answer(answer.status, data, answer.getheaders(), cut=fault == "middle")

    def _answer(
        self,
        status: int,
        data: bytes,
        headers: list[tuple[str, str]] | None = None,
        *,
        cut: bool = False,
    ) -> None:
        self.send_response_only(status)
        for name, value in headers or []:
            if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) + 10 * cut))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = cut

    def _body(self) -> bytes:
        """Read the request's body."""
        if self.headers.get("Expect"):
            self.send_response_only(100)
            self.end_headers()
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))


@contextmanager
def failing_storage(endpoint: str) -> Iterator[FailingStorage]:
    """Run the proxy."""
    with FailingStorage(endpoint) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
