"""Bytes to and from the server: bounded replies, bounded waits."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import ssl
from collections.abc import Iterable, Iterator

from pydantic import SecretBytes

from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.redaction import Redactor, visible
from prefect_smtp_relay.transports.smtp.reply import MalformedReply, Reply

_LINE = re.compile(rb"([2-5]\d{2})(?:([ -])(.*))?", re.DOTALL)
_MAX_LINE = 8192
_MAX_LINES = 200
_ROUND_SECONDS = 1.0
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class Wire:
    """A socket that speaks in lines and replies.

    Args:
        sock: connected.
        timeout_seconds: the bound of each write and of each whole reply.
        deadline: of all of them together.
    """

    def __init__(self, sock: socket.socket, timeout_seconds: float, deadline: Deadline) -> None:
        self.socket = sock
        self.deadline = deadline
        self.written = 0
        self._timeout = timeout_seconds
        self._received = b""
        self._secrets: list[str] = []
        self._lines: list[str] = []
        self._blind: list[str] = []
        self._redact_secrets = self._redact_addresses = Redactor()

    @property
    def has_unread(self) -> bool:
        """Whether bytes came that nobody read."""
        return bool(self._received)

    def look(self) -> None:
        """Take in what has arrived, without waiting.

        Raises:
            OSError: the connection was lost, or closed by the server.
        """
        self.socket.settimeout(0)
        try:
            data = self.socket.recv(_MAX_LINE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        self._take_in(data)

    def replace_socket(self, sock: socket.socket) -> None:
        """Go on over TLS.

        Raises:
            MalformedReply: bytes arrived before the handshake (RFC 3207, section 4.2): used
                after it, they would be an attacker's.
        """
        if self._received:
            raise MalformedReply("the server's answer to STARTTLS had more after it")
        self.socket = sock

    def hide(self, secrets: Iterable[str] = (), lines: Iterable[str] = ()) -> None:
        """Keep these texts out of every further reply: some servers repeat what they were told."""
        self._secrets += secrets
        self._lines += lines
        self._redact_secrets = Redactor(self._secrets, lines=self._lines)

    def hide_addresses(self, addresses: list[str]) -> None:
        """Keep these addresses, too, and their local parts, out of replies until others are."""
        if addresses != self._blind:
            self._blind = addresses
            self._redact_addresses = Redactor(addresses=addresses)

    def write(self, data: bytes | SecretBytes) -> None:
        """Write everything; `written` says how much of it went out.

        No frame of a traceback has a secret in it: `ssl` keeps what it writes in one of its own.

        Raises:
            OSError: connection lost, or no progress in time.
        """
        self.written = 0
        while self.written < len(data):
            self.socket.settimeout(self.deadline.left(self._timeout))
            try:
                self.written += self.socket.send(_plain(data)[self.written :])
            except OSError as error:
                raise error.with_traceback(None) from error.__cause__

    def read_reply(self, seconds: float | None = None, *, beyond_deadline: bool = False) -> Reply:
        """Read one reply, all its lines.

        Args:
            seconds: how long to wait; None: ``timeout_seconds``.
            beyond_deadline: wait so long whatever is left of the whole.

        Raises:
            OSError: connection lost, or the reply did not end in time.
            MalformedReply: it breaks the grammar or the bounds.
        """
        limit = self._timeout if seconds is None else seconds
        deadline = Deadline(limit if beyond_deadline else self.deadline.left(limit))
        lines: list[str] = []
        code = b""
        while len(lines) < _MAX_LINES:
            line = self._read_line(deadline)
            found = _LINE.fullmatch(line)
            if not found or not found[1].startswith(code):
                raise MalformedReply(f"'{self._shown(line)[:100]}'")
            code, separator, text = found.groups(b"")
            lines.append(self._shown(text))
            if separator != b"-":
                return Reply(int(code), tuple(lines))
        raise MalformedReply(f"a reply of more than {_MAX_LINES} lines")

    def close(self) -> None:
        """Drop the connection without a word: after an error in DATA, QUIT would be body text.

        It is shut down, too: a forked child may have another descriptor of it.
        """
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.abandon()

    def abandon(self) -> None:
        """Let go of the descriptor; whoever else has the connection keeps it."""
        with contextlib.suppress(OSError):
            self.socket.close()

    def _shown(self, data: bytes) -> str:
        """Read a line so that whatever is made of it may be shown to anybody, on any terminal."""
        text = data.decode("utf-8", "replace")
        return visible(self._redact_addresses(self._redact_secrets(text)))

    def _read_line(self, deadline: Deadline) -> bytes:
        while b"\n" not in self._received:
            if len(self._received) > _MAX_LINE:
                raise MalformedReply(f"a line of more than {_MAX_LINE} bytes")
            self._receive(deadline)
        line, _, self._received = self._received.partition(b"\n")
        return line.removesuffix(b"\r")

    def _receive(self, deadline: Deadline) -> None:
        """Wait in rounds: a task's timeout reaches a thread only between two of them."""
        if _QUICKACK is not None:
            self.socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        while True:
            self.socket.settimeout(deadline.left(_ROUND_SECONDS))
            with contextlib.suppress(TimeoutError):
                return self._take_in(self.socket.recv(_MAX_LINE))

    def _take_in(self, data: bytes) -> None:
        if not data:
            raise ConnectionResetError("the server closed the connection")
        self._received += data


def _plain(data: bytes | SecretBytes) -> bytes:
    return data if isinstance(data, bytes) else data.get_secret_value()


def stuff_dots(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Double each dot that begins a line (RFC 5321, section 4.5.2).

    Args:
        chunks: bytes with CRLF line ends; no chunk ends between CR and LF.
    """
    at_line_start = True
    for chunk in filter(None, chunks):
        stuffed = chunk.replace(b"\r\n.", b"\r\n..") if b"." in chunk else chunk
        yield b"." + stuffed if at_line_start and chunk.startswith(b".") else stuffed
        at_line_start = chunk.endswith(b"\r\n")


def is_loopback(sock: socket.socket) -> bool:
    """Whether the peer is this host itself, so that nobody can read along."""
    address = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
