"""A SendGrid that keeps nothing: ``python -m benchmarks.sendgrid.api BIND TLS_NAME``.

It prints its port and its CA as JSON, and ends with its standard input. A thread a connection;
every request is answered as an accepted mail, and the connection kept unless the client wants it
closed. (`http.server` takes longer for a request than the clients that are measured here.)
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import socket
import ssl
import sys
import threading

import trustme

_BLOCK = 262_144
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)
_numbers = itertools.count(1)


def _hold(sock: socket.socket, context: ssl.SSLContext) -> None:
    """Answer one connection until either side closes it."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(OSError), context.wrap_socket(sock, server_side=True) as connection:
        received = b""
        while head := _read_head(connection, received):
            end = head.index(b"\r\n\r\n") + 4
            length = _LENGTH.search(head)
            rest = end + int(length[1] if length else 0) - len(head)
            while rest > 0 and (block := connection.recv(min(rest, _BLOCK))):
                rest -= len(block)
            received = head[len(head) + rest :] if rest < 0 else b""
            is_last = _CLOSE.search(head, 0, end) is not None
            connection.sendall(_accepted(is_last=is_last))
            if is_last:
                return


def _read_head(connection: ssl.SSLSocket, received: bytes) -> bytes:
    """Read until the header section is whole; empty: the client left."""
    while b"\r\n\r\n" not in received:
        if not (block := connection.recv(_BLOCK)):
            return b""
        received += block
    return received


def _accepted(*, is_last: bool) -> bytes:
    fields = [
        "HTTP/1.1 202 Accepted",
        "Server: nginx",
        "Date: Wed, 01 May 2024 00:00:00 GMT",
        "Content-Length: 0",
        f"Connection: {'close' if is_last else 'keep-alive'}",
        f"X-Message-Id: bench-{next(_numbers)}",
        "Access-Control-Allow-Origin: https://sendgrid.api-docs.io",
        "X-No-CORS-Reason: https://sendgrid.com/docs/Classroom/Basics/API/cors.html",
        "Strict-Transport-Security: max-age=600; includeSubDomains",
    ]
    return "\r\n".join([*fields, "", ""]).encode()


def _serve(listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        sock, _ = listening.accept()
        threading.Thread(target=_hold, args=(sock, context), daemon=True).start()


def main() -> None:
    """Serve until standard input ends."""
    bind, tls_name = sys.argv[1:]
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(tls_name).configure_cert(context)
    listening = socket.create_server((bind, 0), backlog=100)
    threading.Thread(target=_serve, args=(listening, context), daemon=True).start()
    print(json.dumps([listening.getsockname()[1], authority.cert_pem.bytes().decode()]), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
