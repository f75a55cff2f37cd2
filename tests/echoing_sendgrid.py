"""A SendGrid that refuses every key, and repeats it: what it says must not be told on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any


@contextmanager
def echoing_sendgrid() -> Iterator[str]:
    """Run it on loopback, and give its URL."""
    with HTTPServer(("127.0.0.1", 0), _Echo) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class _Echo(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Authorization"]
        self.send_response(401)
        self.end_headers()
        errors = [{"message": f"wrong key: {key}", "field": key}]
        self.wfile.write(json.dumps({"errors": errors}).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing on stderr."""
