"""A long line without privileges: ``python -m benchmarks.proxy ROUND_TRIP_MS PORT``.

Connections to its own port, which it prints, go on to PORT on loopback; what either side writes
arrives half a round trip later. The kernel finishes the client's TCP handshake at once, so the
proxy makes up for it: the client's first octets set out one round trip after it called, and the
server's first, of a greeting, one and a half, as after a handshake on a real line. Delayed
acknowledgements and slow start are those of loopback: `tun` is more honest where it is permitted.
It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import sys

BIND = "127.0.0.1"
_BLOCK = 65536


class Proxy:
    """Delays what passes.

    Args:
        round_trip_seconds: there and back.
        port: where connections go on to.
    """

    def __init__(self, round_trip_seconds: float, port: int) -> None:
        self._round_trip = round_trip_seconds
        self._port = port

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until both sides are closed."""
        await asyncio.sleep(self._round_trip)
        there, onward = await asyncio.open_connection(BIND, self._port)
        late = self._round_trip / 2
        await asyncio.gather(self._carry(reader, onward), self._carry(there, writer, late))

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late: float = 0
    ) -> None:
        await asyncio.sleep(late)
        held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        writing = asyncio.create_task(self._write(held, writer))
        now = asyncio.get_running_loop().time
        try:
            while data := await reader.read(_BLOCK):
                held.put_nowait((now() + self._round_trip / 2, data))
        except ConnectionError:
            pass  # a reset arrives as an end
        held.put_nowait((now() + self._round_trip / 2, b""))
        await writing

    @staticmethod
    async def _write(
        held: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        now = asyncio.get_running_loop().time
        while True:
            due, data = await held.get()
            await asyncio.sleep(max(0.0, due - now()))
            if not data:
                writer.close()
                return
            writer.write(data)


async def main() -> None:
    """Serve until standard input ends."""
    proxy = Proxy(float(sys.argv[1]) / 1000, int(sys.argv[2]))
    server = await asyncio.start_server(proxy.join, BIND, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
