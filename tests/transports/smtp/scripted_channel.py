"""The octets of one connection of a scripted server, in clear or under TLS."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import TypeVar

_BLOCK = 65536
Result = TypeVar("Result")


class Channel:
    """Reads and writes a socket; TLS can begin at any moment.

    The socket stays the plain one, so that the server decides on each read, FIN and RST itself;
    TLS is done in memory, which is the same on every version of Python.

    Args:
        sock: accepted, and not blocking.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = sock
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is on."""
        return self._tls is not None

    async def read(self) -> bytes:
        """Read what is there; nothing once the client has closed its side."""
        tls = self._tls
        if tls is None:
            return await self._loop.sock_recv(self._socket, _BLOCK)
        return await self._in_memory(lambda: tls.read(_BLOCK))

    async def write(self, data: bytes) -> None:
        """Write everything."""
        tls = self._tls
        if tls is None:
            await self._loop.sock_sendall(self._socket, data)
        else:
            await self._in_memory(lambda: tls.write(data))

    async def start_tls(self, context: ssl.SSLContext, unread: bytes) -> None:
        """Take the client's handshake, of which some octets may have been read already."""
        self._incoming.write(unread)
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        await self._in_memory(self._tls.do_handshake)

    def finish(self) -> None:
        """Close the writing side with FIN, and without a word of TLS."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Drop the connection with RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def close(self) -> None:
        """Close both sides."""
        with contextlib.suppress(OSError):
            self._socket.close()

    async def _in_memory(self, action: Callable[[], Result]) -> Result:
        while True:
            try:
                result = action()
            except ssl.SSLWantReadError:
                await self._flush()
                if data := await self._loop.sock_recv(self._socket, _BLOCK):
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                await self._flush()  # the alert that says why
                raise
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        while data := self._outgoing.read():
            await self._loop.sock_sendall(self._socket, data)
