r"""A server that plays scripts on loopback: for faults that no real server can be asked for.

A script is text, one step a line::

    S: 220 mx.test       write a line
    RAW 250 a\r\n25      write octets with Python's escapes, and no line end
    C: MAIL              read a line that begins so, in either case of letters
    EHLO SIZE 0, DSN     read EHLO, and offer these extensions (and those that the test adds)
    HEAR                 read some octets, and forget them
    DRAIN 5000           read and forget so many octets
    BODY                 read up to the final dot
    STORE                the same, and note the copy with the recipients accepted for it
    SERVE 2              take two mails as a good server does; without a number: all, up to QUIT
    ANSWER 503 5.5.1 no  answer every line so, up to QUIT; QUIT, RSET and NOOP get their due, and
                         other words what follows: ANSWER 503 no | DATA 354 go on | . 554 nobody
    DRIP 250 so          write this, then dots without end, one octet at a time
    FLOOD 3              write so many megabytes without a line end
    WAIT 0.2             do nothing for so many seconds
    TLS                  take the client's TLS handshake
    SILENCE              say nothing until the client goes
    STALL                read nothing until the test ends
    CLOSE                close the connection at once
    RESET                drop it with RST
    REPEAT 3             take the steps up to END so often; without a number: without end
    END

Behind the last step the server closes its side with FIN and listens until the client goes. A client
that goes earlier ends the script, and is no surprise; one that says another line than ``C:`` wants
is. Commands are read from whatever segments they come in, so that one script serves clients that
pipeline and clients that do not: let it answer each command behind its ``C:``, and end with
``ANSWER`` where a client may have written more than was granted.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterable

from .scripted_channel import Channel
from .scripted_conversation import STEPS, Conversation
from .scripted_record import Record, StoredMail
from .scripted_script import parse

__all__ = ["ScriptedServer", "StoredMail"]

_LAST_TURNS = 50
"""How often the loop looks once more at what clients have written before it stops."""


class ScriptedServer:
    """Plays a script to each connection, to all at the same time; a context manager.

    Its lists can be read at any time, and are complete once it has stopped.

    Args:
        scripts: as above: the first connection's, the second's, and so on; the last one repeats.
        tls_context: for the step TLS.
        extensions: what every step EHLO offers as well.
        host, port: where to listen; port 0 takes any.
    """

    def __init__(
        self,
        *scripts: str,
        tls_context: ssl.SSLContext | None = None,
        extensions: Iterable[str] = (),
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.connections = 0
        self._record = Record()
        self._scripts = [parse(script, STEPS) for script in scripts]
        self._tls_context = tls_context
        self._extensions = tuple(extensions)
        self._listening = socket.create_server((host, port), backlog=128)
        self._listening.setblocking(False)
        self.host, self.port = self._listening.getsockname()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def heard(self) -> bytearray:
        """All that clients said, as it was before TLS encrypted it."""
        return self._record.heard

    @property
    def heard_in_clear(self) -> bytearray:
        """What clients said without TLS."""
        return self._record.heard_in_clear

    @property
    def surprises(self) -> list[str]:
        """What clients said against the script."""
        return self._record.surprises

    @property
    def stored(self) -> list[StoredMail]:
        """The copies that were taken by STORE and SERVE."""
        return self._record.stored

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Read what clients have written already, then close everything at once."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
        self._listening.close()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._playing: set[asyncio.Task[None]] = set()
        accepting = asyncio.create_task(self._accept())
        self._started.set()
        await self._stopping.wait()
        for _ in range(_LAST_TURNS):
            await asyncio.sleep(0)
        accepting.cancel()

    async def _accept(self) -> None:
        while True:
            sock, _ = await self._loop.sock_accept(self._listening)
            steps = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            conversation = Conversation(
                Channel(sock), self._record, self._extensions, self._tls_context
            )
            self._playing.add(asyncio.create_task(conversation.play(steps)))
