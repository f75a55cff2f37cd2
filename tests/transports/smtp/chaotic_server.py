"""A server that closes connections and answers 421 and 451 as the dice fall."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections import Counter

_MESSAGE_ID = b"message-id:"


class _GoneAway(Exception):
    """The dice closed the connection."""


class ChaoticServer:
    """Takes mail with faults at every step; a context manager that runs it in a thread.

    Args:
        seed: of the dice.
        odds: how likely a fault is at each step.
    """

    def __init__(self, seed: int, odds: float = 0.02) -> None:
        self.stored: Counter[str] = Counter()
        self.connections = 0
        self._dice = random.Random(seed)  # noqa: S311  # dice, no secrets
        self._odds = odds
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.host, self.port = self._listening.getsockname()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> ChaoticServer:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._converse, sock=self._listening)
        self._started.set()
        await self._stopping.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            writer.write(b"220 chaos.test\r\n")
            while line := await reader.readline():
                await self._answer(line.decode().strip().upper(), reader, writer)
                await writer.drain()
        except (_GoneAway, OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if line.startswith("EHLO"):
            pipelining = b"250-PIPELINING\r\n" if self._dice.random() < 0.5 else b""
            writer.write(b"250-chaos.test\r\n" + pipelining + b"250 SIZE 0\r\n")
        elif line == "QUIT":
            writer.write(b"221 bye\r\n")
            raise _GoneAway
        elif line == "DATA":
            await self._take_data(reader, writer)
        else:
            writer.write(self._throw(b"250 2.0.0 ok"))

    async def _take_data(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reply = self._throw(b"354 go on")
        writer.write(reply)
        if not reply.startswith(b"354"):
            return
        text = b""
        while (line := await reader.readline()) not in (b".\r\n", b""):
            text += line
        final = self._throw(b"250 2.0.0 taken")
        if line and text and final.startswith(b"250"):
            (field,) = [part for part in text.splitlines() if part.lower().startswith(_MESSAGE_ID)]
            self.stored[field.split()[1].decode()] += 1
            if self._dice.random() < self._odds:
                raise _GoneAway  # taken, and nobody hears of it
        writer.write(final)

    def _throw(self, reply: bytes) -> bytes:
        """Give the reply, or a fault in its place; 421 is the last word of a connection."""
        fate = self._dice.random() / self._odds
        if fate < 0.4:
            raise _GoneAway
        if fate < 0.6:
            return b"421 4.3.2 closing\r\n"
        return b"451 4.3.0 later\r\n" if fate < 1 else reply + b"\r\n"
