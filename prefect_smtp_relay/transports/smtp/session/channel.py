"""Commands and replies over one connection; every error is translated, and ends it."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterable, Iterator

from pydantic import SecretBytes, SecretStr

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.errors import FINAL_REPLY, refused, translate
from prefect_smtp_relay.transports.smtp.reply import MalformedReply, Reply
from prefect_smtp_relay.transports.smtp.session.wire import Wire

_END = b".\r\n"
_ONE_RECORD = 16_000
"""Bytes that go out whole or not at all, under TLS too."""
_LAST_WORDS_SECONDS = 0.5


class Channel:
    """What a client says on one connection, and what it hears.

    Args:
        sock: connected, and encrypted already where TLS is direct.
        config: how the relay is to be spoken to.
        deadline: of the delivery that the connection is opened for.
    """

    def __init__(self, sock: socket.socket, config: SmtpConfig, deadline: Deadline) -> None:
        self.config = config
        self.is_open = True
        self._wire = Wire(sock, config.timeout_seconds, deadline)

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is on."""
        return self.tls is not None

    @property
    def tls(self) -> ssl.SSLSocket | None:
        """The encrypted socket, which knows the version, the cipher and the certificate."""
        sock = self._wire.socket
        return sock if isinstance(sock, ssl.SSLSocket) else None

    def command(self, stage: str, line: str | SecretStr) -> Reply:
        """Send one line and read its reply, whatever it says."""
        if isinstance(line, SecretStr):
            self.write(stage, SecretBytes(f"{line.get_secret_value()}\r\n".encode()))
        else:
            self.write(stage, f"{line}\r\n".encode())
        return self.read_reply(stage)

    def demand(self, stage: str, line: str) -> Reply:
        """Send one line and read its reply, which must be positive."""
        return self._expect(stage, self.command(stage, line))

    def hide(self, secrets: Iterable[str] = (), lines: Iterable[str] = ()) -> None:
        """Keep these texts out of what is read from now on, and so out of errors and receipts."""
        self._wire.hide(secrets, lines)

    def hide_addresses(self, addresses: list[str]) -> None:
        """Keep these addresses out of what is read until others are hidden."""
        self._wire.hide_addresses(addresses)

    def go_on(self, deadline: Deadline) -> None:
        """Serve another delivery."""
        self._wire.deadline = deadline

    def write(self, stage: str, data: bytes | SecretBytes) -> None:
        """Write commands."""
        self._check_step(stage)
        try:
            self._wire.write(data)
        except OSError as error:
            raise self._lost(stage, error) from error

    def write_message(self, chunks: Iterable[bytes], next_commands: bytes) -> None:
        """Write the message, the dot that ends it, and the commands that follow it.

        The end of the message and the commands go in one TLS record, so that a failed write tells
        whether the server can have read the dot: `Wire.written` counts whole records.

        Args:
            chunks: bytes in lines, their dots doubled.
            next_commands: for a server that pipelines.

        Raises:
            EmailError: of the connection, in the server's words where it said why it gave up.
        """
        self._check_step("body", look=True)
        last = b""
        for chunk in chunks:
            if last:
                self._write_body(last)
            last = chunk
        if len(last) + len(next_commands) > _ONE_RECORD:
            self._write_body(last)
            last = b""
        last += _END
        try:
            self._wire.write(last + next_commands)
        except OSError as error:
            # Whether the bytes that end the message arrived, only the final reply would tell.
            is_ended = self._wire.written >= len(last)
            raise self._lost(FINAL_REPLY if is_ended else "body", error) from error

    def read_reply(self, stage: str, seconds: float | None = None) -> Reply:
        """Read the next reply, whatever it says.

        Args:
            stage: the step of the session; the reply to a message has a bound of its own.
            seconds: how long to wait; None: ``timeout_seconds``.
        """
        is_final = stage == FINAL_REPLY
        if is_final:
            seconds = self.config.limits.final_reply_seconds
        try:
            return self._wire.read_reply(seconds, beyond_deadline=is_final)
        except (OSError, MalformedReply) as error:
            raise self._lost(stage, error) from error

    def close(self) -> None:
        """Drop the connection."""
        self.is_open = False
        self._wire.close()

    def abandon(self) -> None:
        """Leave the connection to the process that this one was forked from."""
        self.is_open = False
        self._wire.abandon()

    def out_of_step(self, stage: str, reply: Reply) -> EmailError:
        """End a session whose replies do not fit the commands: a later one would be misread."""
        error = MalformedReply(f"a reply out of step: {reply}")
        lost = self._lost(stage, error)
        lost.__cause__ = error  # the others are raised from theirs
        return lost

    def _check_step(self, stage: str, *, look: bool = False) -> None:
        """Make sure that every reply was asked for (RFC 2920, section 3.1)."""
        try:
            if look:
                self._wire.look()
        except OSError as error:
            raise self._lost(stage, error) from error
        if not self._wire.has_unread:
            return
        reply = self.read_reply(stage)
        if reply.code == 421:
            self.close()
            raise refused(self.config.name, stage, reply)
        raise self.out_of_step(stage, reply)

    def _write_body(self, chunk: bytes) -> None:
        try:
            self._wire.write(chunk)
        except OSError as error:
            raise self._last_words() or self._lost("body", error) from error

    def _last_words(self) -> EmailError | None:
        """Read the reply of a server that did not wait for the end of the message."""
        self.go_on(Deadline(_LAST_WORDS_SECONDS))
        with contextlib.suppress(OSError, MalformedReply):
            reply = self._wire.read_reply()
            if not reply.is_positive:
                self.close()
                return refused(self.config.name, "body", reply)
        return None

    def _lost(self, stage: str, error: OSError | MalformedReply) -> EmailError:
        """Translate an error of the wire, after which nothing can be said any more."""
        self.close()
        return translate(self.config.name, stage, error, is_encrypted=self.is_encrypted)

    @contextlib.contextmanager
    def _translating(self, stage: str) -> Iterator[None]:
        try:
            yield
        except (OSError, MalformedReply) as error:
            raise self._lost(stage, error) from error

    def _expect(self, stage: str, reply: Reply) -> Reply:
        if not reply.is_positive:
            raise refused(self.config.name, stage, reply)
        return reply
