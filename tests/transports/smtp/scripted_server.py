r"""A server that plays a script on loopback: for faults that no real server can be asked for.

A script is text, one step a line::

    S: 220 mx.test      write a line
    RAW 250 a\n250 b     write octets with Python's escapes, and no line end
    C: EHLO             read a line that begins so
    HEAR                read some octets
    BODY                read up to the line with the single dot
    DRIP 250 so         write this, then dots without end, one octet at a time
    FLOOD 3             write so many megabytes without a line end
    TLS                 take the client's TLS handshake
    SILENCE             say nothing until the client goes
    STALL               read nothing until the test ends
    RESET               drop the connection with RST

Behind the last step the server closes its side and listens until the client goes.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable

_PATIENCE = 5.0
_DRIP_INTERVAL = 0.02


class _ClientLeft(Exception):
    """Nobody is there for the rest of the script."""


def _unescape(text: str) -> bytes:
    return text.encode().decode("unicode_escape").encode()


class ScriptedServer:
    """Plays one script a connection, the last one again and again; a context manager.

    Args:
        scripts: as above.
        tls_context: for the step TLS.
    """

    def __init__(self, *scripts: str, tls_context: ssl.SSLContext | None = None) -> None:
        self.heard = bytearray()
        self.surprises: list[str] = []
        self.connections = 0
        self._scripts = scripts
        self._tls_context = tls_context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listening.getsockname()
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        with contextlib.suppress(OSError):
            socket.create_connection((self.host, self.port)).close()
        self._thread.join(2 * _PATIENCE)
        self._listening.close()

    def _serve(self) -> None:
        while True:
            sock, _ = self._listening.accept()
            if self.stopping.is_set():
                sock.close()
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            sock.settimeout(_PATIENCE)
            _Conversation(self, sock).play(script)

    @property
    def tls_context(self) -> ssl.SSLContext:
        """The context for the step TLS."""
        assert self._tls_context is not None, "the script says TLS: pass tls_context"
        return self._tls_context


class _Conversation:
    """One connection's script."""

    def __init__(self, server: ScriptedServer, sock: socket.socket) -> None:
        self._server = server
        self._socket = sock
        self._unread = bytearray()
        self._steps: dict[str, Callable[[str], object]] = {
            "S:": lambda text: self._socket.sendall(f"{text}\r\n".encode()),
            "RAW": lambda text: self._socket.sendall(_unescape(text)),
            "C:": self._expect_line,
            "HEAR": lambda _: self._receive(),
            "BODY": lambda _: self._read_until(b"\r\n.\r\n"),
            "DRIP": self._drip,
            "FLOOD": self._flood,
            "TLS": self._handshake,
            "SILENCE": lambda _: self._listen_to_the_end(),
            "STALL": lambda _: server.stopping.wait(_PATIENCE),
            "RESET": self._reset,
        }

    def play(self, script: str) -> None:
        with contextlib.suppress(OSError, _ClientLeft):
            for line in script.strip().splitlines():
                name, _, argument = line.strip().partition(" ")
                self._steps[name](argument)
            self._socket.shutdown(socket.SHUT_WR)
            self._listen_to_the_end()
        self._socket.close()

    def _expect_line(self, start: str) -> None:
        line = self._read_until(b"\r\n").decode()
        if not line.startswith(start):
            self._server.surprises.append(f"expected {start!r}, heard {line!r}")

    def _read_until(self, end: bytes) -> bytes:
        while end not in self._unread:
            self._unread += self._receive()
        text, _, rest = bytes(self._unread).partition(end)
        self._unread = bytearray(rest)
        return text

    def _receive(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise _ClientLeft
        self._server.heard += data
        return data

    def _listen_to_the_end(self) -> None:
        while True:
            self._receive()

    def _drip(self, text: str) -> None:
        for octet in itertools.chain(text.encode(), itertools.repeat(ord("."))):
            self._socket.sendall(bytes([octet]))
            time.sleep(_DRIP_INTERVAL)

    def _flood(self, megabytes: str) -> None:
        for _ in range(int(megabytes)):
            self._socket.sendall(b"x" * 1_000_000)

    def _handshake(self, _: str) -> None:
        self._socket = self._server.tls_context.wrap_socket(self._socket, server_side=True)

    def _reset(self, _: str) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()
        raise _ClientLeft
