"""One connection of a scripted server: the steps of its script, and what it notes."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import ssl
from collections.abc import Awaitable, Callable, Iterator

from .scripted_channel import Channel
from .scripted_record import FINAL_DOT, Dialogue, Record
from .scripted_script import Step

DRIP_INTERVAL = 0.02
_GO_ON = "354 go on"
_CLOSING_REPLIES = {"QUIT": "221 2.0.0 bye", "RSET": "250 2.0.0 ok", "NOOP": "250 2.0.0 ok"}
_GOOD_REPLIES = {
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": _GO_ON,
    **_CLOSING_REPLIES,
}


class _ClientLeft(Exception):
    """Nobody is there for the rest of the script."""


class Conversation:
    """Plays a script to one client.

    Args:
        channel: to the client.
        record: shared by the server's connections.
        extensions: what every step EHLO offers as well.
        tls_context: for the step TLS.
    """

    def __init__(
        self,
        channel: Channel,
        record: Record,
        extensions: tuple[str, ...],
        tls_context: ssl.SSLContext | None,
    ) -> None:
        self._channel = channel
        self._record = record
        self._extensions = extensions
        self._tls_context = tls_context
        self._unread = bytearray()
        self._dialogue = Dialogue()

    async def play(self, steps: tuple[Step, ...]) -> None:
        """Take the steps, then close this side and listen until the client goes."""
        try:
            with contextlib.suppress(OSError, _ClientLeft):
                await self._take(steps)
                self._channel.finish()
                await self.listen("")
        except Exception as error:  # a wrong script: the test has to hear of it
            self._record.surprises.append(repr(error))
        finally:
            self._channel.close()

    async def _take(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if step.name == "REPEAT":
                for _ in _times(step.argument):
                    await self._take(step.block)
            else:
                await STEPS[step.name](self, step.argument)

    async def say(self, text: str) -> None:
        """S: write a line."""
        await self._write(f"{text}\r\n".encode())

    async def raw(self, text: str) -> None:
        """RAW: write octets with Python's escapes."""
        await self._write(text.encode().decode("unicode_escape").encode("latin-1"))

    async def expect(self, start: str) -> None:
        """C: read a line that begins so."""
        line = await self._read_line()
        if not line.lower().startswith(start.lower()):
            self._record.surprises.append(f"expected {start!r}, heard {line!r}")

    async def hear(self, _: str) -> None:
        """HEAR: read some octets, and forget them."""
        await self._receive()
        self._unread.clear()

    async def drain(self, count: str) -> None:
        """DRAIN: read at least so many octets."""
        while len(self._unread) < int(count):
            await self._receive()
        del self._unread[: int(count)]

    async def body(self, _: str) -> bytes:
        """BODY: read up to the final dot."""
        self._unread[:0] = b"\r\n"  # an empty message is the dot alone
        octets = await self._read_until(b"\r\n.\r\n")
        self._dialogue.heard(FINAL_DOT)
        return octets[2:] + b"\r\n" if octets else b""

    async def store(self, _: str) -> None:
        """STORE: read up to the final dot, and note the copy."""
        octets = (b"\n" + await self.body("")).replace(b"\n..", b"\n.")[1:]
        self._record.stored.append(self._dialogue.copy(octets))

    async def ehlo(self, extensions: str) -> None:
        """EHLO: read it, and offer these."""
        await self.expect("EHLO ")
        offered = [*filter(None, extensions.split(", ")), *self._extensions]
        lines = ["mx.test", *offered]
        for line in lines[:-1]:
            await self.say(f"250-{line}")
        await self.say(f"250 {lines[-1]}")

    async def answer(self, replies: str) -> None:
        """ANSWER: reply to every line, up to QUIT."""
        default, *special = replies.split(" | ")
        by_verb = {**_CLOSING_REPLIES, **dict(reply.split(" ", 1) for reply in special)}
        verb = ""
        while verb != "QUIT":
            verb = (await self._read_line()).partition(" ")[0].upper()
            await self.say(by_verb.get(verb, default))

    async def serve(self, count: str) -> None:
        """SERVE: take so many mails as a good server does, or all up to QUIT."""
        for _ in _times(count):
            while (reply := self._due(verb := (await self._read_line())[:4].upper())) != _GO_ON:
                await self.say(reply)
                if verb == "QUIT":
                    return
            await self.say(_GO_ON)
            await self.store("")
            await self.say(f"250 2.0.0 stored as {len(self._record.stored)}")

    def _due(self, verb: str) -> str:
        """What a good server says: each command of a transaction has its turn."""
        wanted = self._dialogue.wants
        if verb in ("RCPT", "DATA") and wanted not in (verb, "DATA"):
            return "503 5.5.1 bad sequence of commands"
        return _GOOD_REPLIES.get(verb, "502 5.5.1 what?")

    async def drip(self, text: str) -> None:
        """DRIP: write this and dots without end, octet by octet."""
        for octet in itertools.chain(text.encode(), itertools.repeat(ord("."))):
            await self._write(bytes([octet]))
            await asyncio.sleep(DRIP_INTERVAL)

    async def flood(self, megabytes: str) -> None:
        """FLOOD: write so many megabytes without a line end."""
        for _ in range(int(megabytes)):
            await self._write(b"x" * 1_000_000)

    async def tls(self, _: str) -> None:
        """TLS: take the client's handshake."""
        assert self._tls_context is not None, "the script says TLS: pass tls_context"
        await self._channel.start_tls(self._tls_context, bytes(self._unread))
        self._unread.clear()

    async def listen(self, _: str) -> None:
        """SILENCE: read on, and say nothing."""
        while True:
            await self._receive()

    async def stall(self, _: str) -> None:
        """STALL: read nothing, and say nothing."""
        await asyncio.Event().wait()

    async def wait(self, seconds: str) -> None:
        """WAIT: do nothing for a while."""
        await asyncio.sleep(float(seconds))

    async def close(self, _: str) -> None:
        """CLOSE: close both sides."""
        self._channel.close()
        raise _ClientLeft

    async def reset(self, _: str) -> None:
        """RESET: drop the connection with RST."""
        self._channel.reset()
        raise _ClientLeft

    async def _write(self, data: bytes) -> None:
        self._dialogue.said(data)
        await self._channel.write(data)

    async def _read_line(self) -> str:
        line = (await self._read_until(b"\r\n")).decode(errors="replace")
        self._dialogue.heard(line)
        return line

    async def _read_until(self, end: bytes) -> bytes:
        seen = 0
        while (position := self._unread.find(end, seen)) < 0:
            seen = max(0, len(self._unread) - len(end))
            await self._receive()
        text = bytes(self._unread[:position])
        del self._unread[: position + len(end)]
        return text

    async def _receive(self) -> None:
        data = await self._channel.read()
        if not data:
            raise _ClientLeft
        self._record.heard += data
        if not self._channel.is_encrypted:
            self._record.heard_in_clear += data
        self._unread += data


def _times(count: str) -> Iterator[None]:
    return itertools.repeat(None, int(count)) if count else itertools.repeat(None)


STEPS: dict[str, Callable[[Conversation, str], Awaitable[object]]] = {
    "S:": Conversation.say,
    "RAW": Conversation.raw,
    "C:": Conversation.expect,
    "HEAR": Conversation.hear,
    "DRAIN": Conversation.drain,
    "BODY": Conversation.body,
    "STORE": Conversation.store,
    "EHLO": Conversation.ehlo,
    "ANSWER": Conversation.answer,
    "SERVE": Conversation.serve,
    "DRIP": Conversation.drip,
    "FLOOD": Conversation.flood,
    "TLS": Conversation.tls,
    "SILENCE": Conversation.listen,
    "STALL": Conversation.stall,
    "WAIT": Conversation.wait,
    "CLOSE": Conversation.close,
    "RESET": Conversation.reset,
}
