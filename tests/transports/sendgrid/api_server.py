"""A real HTTP server on the loopback interface that answers as a test scripts it.

A mail that SendGrid would not take is refused, whatever the script says.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from .send_rules import violations

SEND = ("POST", "/v3/mail/send")
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Request:
    """One request as it arrived; its port tells on which of the client's connections."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    port: int

    @property
    def payload(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Handler(BaseHTTPRequestHandler):
    """Records a request, checks a mail, then plays the next answer."""

    protocol_version = "HTTP/1.1"
    seen: Request

    @property
    def api(self) -> ApiServer:
        """The server that this request came to."""
        return cast("_Listener", self.server).api

    def do_POST(self) -> None:
        """Answer a request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.seen = Request(self.command, self.path, headers, body, self.client_address[1])
        self.api.requests.append(self.seen)
        self._answer_to(body)(self)

    def _answer_to(self, body: bytes) -> Answer:
        """Refuse a mail that breaks SendGrid's rules; anything else gets the next answer."""
        if (self.command, self.path) == SEND and (errors := violations(body)):
            return reply(400, json.dumps({"errors": errors}))
        return self.api.next_answer()

    do_GET = do_POST  # noqa: N815 - the names are http.server's
    do_CONNECT = do_POST  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing on stderr."""


Answer = Callable[[Handler], None]


def reply(status: int, body: bytes | str = b"", **headers: str) -> Answer:
    """Answer with a status, a body and headers (``retry_after="3"`` is Retry-After)."""
    data = body.encode() if isinstance(body, str) else body

    def play(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return play


def accept(message_id: str = "X-1") -> Answer:
    """Accept the mail as SendGrid does."""
    return reply(202, x_message_id=message_id)


def raw(data: bytes) -> Answer:
    """Write these bytes and close the connection, which need not be a whole answer."""

    def play(handler: Handler) -> None:
        handler.wfile.write(data)
        handler.close_connection = True

    return play


def then_close(answer: Answer) -> Answer:
    """Close the connection after an answer that does not announce it."""

    def play(handler: Handler) -> None:
        answer(handler)
        handler.close_connection = True

    return play


def reset_the_next_after(size: int, answer: Answer) -> Answer:
    """Answer, and reset the connection once so many bytes of a further request arrived."""

    def play(handler: Handler) -> None:
        answer(handler)
        handler.connection.recv(size)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        handler.close_connection = True

    return play


def drip(start: bytes) -> Answer:
    """Write a start at once, and then one byte after the other without an end."""

    def play(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(start)
        with suppress(OSError):
            while not handler.api.is_over.wait(0.02):
                handler.wfile.write(b"x")

    return play


def stall(handler: Handler) -> None:
    """Keep silent until the test is over."""
    handler.api.is_over.wait()
    handler.close_connection = True


@dataclass
class ApiServer:
    """What a test sees of the server.

    Args:
        url: of the server, without a path.
        requests: all that arrived, in their order.
        answers: played in their order; then every mail is accepted.
        closed: released for every connection that the server has closed.
    """

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    closed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    is_over: threading.Event = field(default_factory=threading.Event)

    def next_answer(self) -> Answer:
        """Take the next answer of the script."""
        return self.answers.pop(0) if self.answers else accept()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    api: ApiServer

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.api.closed.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing on stderr of a client that went away."""


@contextmanager
def serve(tls: ssl.SSLContext | None = None) -> Iterator[ApiServer]:
    """Run a server on a port that the system chooses, with TLS or without."""
    listener = _Listener(("127.0.0.1", 0), Handler)
    if tls is not None:
        listener.socket = tls.wrap_socket(
            listener.socket, server_side=True, do_handshake_on_connect=False
        )
    scheme = "http" if tls is None else "https"
    listener.api = api = ApiServer(f"{scheme}://127.0.0.1:{listener.server_port}")
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.is_over.set()
        listener.shutdown()
        thread.join()
        listener.server_close()


def hold(_: socket.socket, is_over: threading.Event) -> None:
    """Read nothing, and say nothing."""
    is_over.wait()


def reset(peer: socket.socket, _: threading.Event) -> None:
    """Read the start of a request, and reset the connection."""
    peer.recv(100)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)


def read_slowly(peer: socket.socket, is_over: threading.Event) -> None:
    """Read a little now and then."""
    while not is_over.wait(0.02):
        peer.recv(1024)


def greet_slowly(peer: socket.socket, is_over: threading.Event) -> None:
    """Answer a TLS greeting by the start of a record (RFC 8446, section 5.1), byte by byte."""
    peer.sendall(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb")
    while not is_over.wait(0.02):
        peer.sendall(b"x")


@contextmanager
def never_read(take: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """Run a server that reads no request to its end.

    Args:
        take: what it does with its one connection, until it is over.

    Yields:
        Its URL.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        is_over = threading.Event()

        def serve_one() -> None:
            with suppress(OSError), listener.accept()[0] as peer:
                take(peer, is_over)

        thread = threading.Thread(target=serve_one, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            is_over.set()
            thread.join()
