"""A real HTTP proxy on the loopback interface that leads tunnels to one server."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """What a test sees of the proxy.

    Args:
        port: it listens on.
        heads: the request line and header fields of each CONNECT.
        passed: what clients wrote into their tunnels.
    """

    port: int
    heads: list[str] = field(default_factory=list)
    passed: bytearray = field(default_factory=bytearray)


@contextmanager
def lead_to(port: int, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """Run a proxy, with TLS or without, whose tunnels all end at one port of this host.

    Whatever name a client asks for, so no name has to exist.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(listener.getsockname()[1])

        def serve() -> None:
            with suppress(OSError):
                while True:
                    sock, _ = listener.accept()
                    threading.Thread(target=tunnel, args=(sock,), daemon=True).start()

        def tunnel(sock: socket.socket) -> None:
            with suppress(OSError):
                near = tls.wrap_socket(sock, server_side=True) if tls else sock
                with near, socket.create_connection(("127.0.0.1", port)) as far:
                    proxy.heads.append(_read_head(near))
                    near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    back = threading.Thread(target=_pump, args=(far, near), daemon=True)
                    back.start()
                    _pump(near, far, proxy.passed)
                    back.join()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # closing alone does not end accept()
            thread.join()


def _read_head(sock: socket.socket) -> str:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += sock.recv(1)
    return head.decode()


def _pump(source: socket.socket, sink: socket.socket, passed: bytearray | None = None) -> None:
    """Carry bytes until one side ends, and tell the other."""
    with suppress(OSError):
        while block := source.recv(65536):
            if passed is not None:
                passed += block
            sink.sendall(block)
    for sock in (source, sink):
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
