"""A server that answers whatever it is told to, whatever it hears."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Sequence

_PATIENCE_SECONDS = 0.02
"""For the client's next write, before the next answer goes out unasked."""


class HostileServer:
    """Plays the same answers to every connection, then closes it; a context manager.

    ``answers`` may be changed between two connections.
    """

    def __init__(self) -> None:
        self.answers: Sequence[bytes] = ()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listening.getsockname()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> HostileServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                with contextlib.suppress(OSError), connection:
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(_PATIENCE_SECONDS)
        for answer in self.answers:
            connection.sendall(answer)
            with contextlib.suppress(TimeoutError):
                if not connection.recv(65536):
                    return
