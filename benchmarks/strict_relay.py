"""A relay that permits so many messages in any minute and so many connections, as providers do."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from bisect import bisect_left

_MINUTE = 60.0


class StrictRelay:
    """Takes mail on loopback, stamps each arrival, and refuses what is too much.

    Args:
        messages_per_minute: accepted in any 60 seconds; 0: all.
        connections: served at once; 0: all.

    ``accepted`` are the moments of the messages, ``refused`` counts replies 450 to MAIL,
    ``turned_away`` connections that met 421.
    """

    def __init__(self, messages_per_minute: int = 0, connections: int = 0) -> None:
        self.accepted: list[float] = []
        self.refused = self.turned_away = self.most_connections = 0
        self._permitted = messages_per_minute
        self._connections = connections
        self._open = self._promised = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    def start(self) -> None:
        """Serve in a thread, until the process ends."""
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()

    def most_in(self, seconds: float) -> int:
        """Return how many messages arrived in the fullest window."""
        stamps = sorted(self.accepted)
        ends = (bisect_left(stamps, start + seconds) for start in stamps)
        return max((end - first for first, end in enumerate(ends)), default=0)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._talk, sock=self._listening)
        await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        self.most_connections = max(self.most_connections, self._open)
        try:
            if self._connections and self._open > self._connections:
                self.turned_away += 1
                writer.write(b"421 4.3.2 too many connections\r\n")
                return
            writer.write(b"220 strict.test\r\n")
            while line := await reader.readline():
                await self._answer(line.upper().split(b" ")[0].strip(), reader, writer)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            self._open -= 1
            writer.close()

    async def _answer(
        self, verb: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if verb == b"EHLO":
            writer.write(b"250-strict.test\r\n250 8BITMIME\r\n")
        elif verb == b"MAIL" and self._is_too_much():
            self.refused += 1
            writer.write(b"450 4.7.1 too many messages in a minute\r\n")
        elif verb == b"DATA":
            writer.write(b"354 go on\r\n")
            await reader.readuntil(b"\r\n.\r\n")
            self.accepted.append(time.monotonic())
            writer.write(b"250 2.0.0 queued\r\n")
        elif verb == b"QUIT":
            writer.write(b"221 2.0.0 bye\r\n")
            writer.close()
        else:
            writer.write(b"250 2.0.0 ok\r\n")

    def _is_too_much(self) -> bool:
        since = time.monotonic() - _MINUTE
        recent = len(self.accepted) - bisect_left(self.accepted, since)
        return bool(self._permitted) and recent >= self._permitted
