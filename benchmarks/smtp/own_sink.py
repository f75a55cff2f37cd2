"""A relay that keeps nothing: ``python -m benchmarks.smtp.own_sink BIND TLS_NAME``.

It prints its port and its CA as JSON, and ends with its standard input. A thread a connection; the
replies to pipelined commands go in one write. (A server of aiosmtpd takes longer for a mail than
the clients that are measured here, and offers no PIPELINING.)
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import sys
import threading
from queue import Empty, SimpleQueue

import trustme

_SPARE_CONTEXTS = 8
_BLOCK = 262_144
_END_OF_BODY = b"\r\n.\r\n"
_EXTENSIONS = ("PIPELINING", "8BITMIME", "SIZE 52428800")
_REPLIES = {
    b"HELO": "250 bench.test",
    b"MAIL": "250 2.1.0 Ok",
    b"RCPT": "250 2.1.5 Ok",
    b"DATA": "354 End with a dot",
    b"RSET": "250 2.0.0 Ok",
    b"NOOP": "250 2.0.0 Ok",
    b"QUIT": "221 2.0.0 Bye",
    b"STAR": "220 2.0.0 Ready",
}


class _ClientLeft(Exception):
    """Nothing more to read."""


class _Contexts:
    """A TLS context for each connection, made ahead: that takes a millisecond.

    Each has session ticket keys of its own, so that no connection resumes the session of another:
    a first mail stays a first mail. The tickets themselves are issued, as by other servers.

    Args:
        tls_name: the host name or address that the certificate is for.
    """

    def __init__(self, tls_name: str) -> None:
        authority = trustme.CA()
        self.ca_pem = authority.cert_pem.bytes().decode()
        self._certificate = authority.issue_cert(tls_name)
        self._spare: SimpleQueue[ssl.SSLContext] = SimpleQueue()
        for _ in range(_SPARE_CONTEXTS):
            self.refill()

    def refill(self) -> None:
        """Make one for a later connection."""
        self._spare.put(self._make())

    def take(self) -> ssl.SSLContext:
        """Give one that no connection had."""
        try:
            return self._spare.get_nowait()
        except Empty:
            return self._make()

    def _make(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate.configure_cert(context)
        return context


class _Conversation:
    """One connection.

    Args:
        sock: accepted.
        contexts: for STARTTLS, or None to offer none.
    """

    def __init__(self, sock: socket.socket, contexts: _Contexts | None) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._contexts = contexts
        self._received = b""
        self._replies = "220 bench.test ESMTP\r\n"

    def hold(self) -> None:
        """Answer until the client goes."""
        with contextlib.suppress(_ClientLeft, OSError):
            while True:
                self._answer(self._read_line()[:4].upper())
        self._socket.close()
        if isinstance(self._socket, ssl.SSLSocket) and self._contexts:
            self._contexts.refill()

    def _answer(self, verb: bytes) -> None:
        if verb == b"EHLO":
            offered = [*_EXTENSIONS, "STARTTLS"] if self._offers_tls else _EXTENSIONS
            self._replies += "".join(f"250-{line}\r\n" for line in ("bench.test", *offered))
        self._replies += f"{_REPLIES.get(verb, '250 ENHANCEDSTATUSCODES')}\r\n"
        if verb == b"DATA":
            self._flush()
            self._skip_body()
            self._replies += "250 2.0.0 Ok: queued\r\n"
        elif verb == b"QUIT":
            self._flush()
            raise _ClientLeft
        elif verb == b"STAR" and self._contexts:
            self._flush()
            self._socket = self._contexts.take().wrap_socket(self._socket, server_side=True)

    @property
    def _offers_tls(self) -> bool:
        return self._contexts is not None and not isinstance(self._socket, ssl.SSLSocket)

    def _read_line(self) -> bytes:
        while b"\n" not in self._received:
            self._received += self._receive()
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _skip_body(self) -> None:
        """Keep only so much of the body that its end is found across two reads."""
        tail = b"\r\n" + self._received
        while _END_OF_BODY not in tail:
            tail = tail[1 - len(_END_OF_BODY) :] + self._receive()
        self._received = tail.partition(_END_OF_BODY)[2]

    def _receive(self) -> bytes:
        self._flush()
        if not (data := self._socket.recv(_BLOCK)):
            raise _ClientLeft
        return data

    def _flush(self) -> None:
        if self._replies:
            self._socket.sendall(self._replies.encode())
            self._replies = ""


def _serve(listening: socket.socket, contexts: _Contexts | None) -> None:
    while True:
        sock, _ = listening.accept()
        threading.Thread(target=_Conversation(sock, contexts).hold, daemon=True).start()


def main() -> None:
    """Serve until standard input ends."""
    bind, tls_name = sys.argv[1:]
    contexts = _Contexts(tls_name) if tls_name else None
    listening = socket.create_server((bind, 0), backlog=100)
    threading.Thread(target=_serve, args=(listening, contexts), daemon=True).start()
    port = listening.getsockname()[1]
    print(json.dumps([port, contexts.ca_pem if contexts else ""]), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
