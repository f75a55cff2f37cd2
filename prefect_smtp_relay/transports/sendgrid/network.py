"""The network under HTTP: whatever a request waits for ends at its deadline.

httpx bounds each read and each write for itself, so that an answer of one octet a second would
never end, and DNS not at all. httpcore, which does httpx's work, takes a network of one's own.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore

from prefect_smtp_relay.transports.deadline import MIN_BYTES_PER_SECOND, Deadline
from prefect_smtp_relay.transports.resolver import Place, connect_to_any

_UNREACHED = (httpcore.ConnectError, httpcore.ConnectTimeout)
_BLOCK = 16_384  # of one TLS record: written by one call, which keeps to its time


class Progress:
    """How far one request got, and when what it waits for at present ends.

    Args:
        timeout: seconds for a connection, name look-up and TLS included; for the request, which
            has a second more for each 64 KiB, unless nothing moves; and for the whole answer.
        octets: of the request's body.
    """

    def __init__(self, timeout: float, octets: int = 0) -> None:
        self._timeout = timeout
        self._octets = octets
        self._method = b""
        self.is_writing_head = False
        """Whether what is written is the request's line and header fields."""
        self._deadline = Deadline(timeout)
        self.is_kept = True
        """Whether it goes over a connection that was there before."""
        self.handed_over = False
        """Whether the last octet went out, so that SendGrid may have accepted a mail."""
        self.has_read = False
        """Whether anything came back since the request began to go out."""

    def begin(self) -> None:
        """Note that the request is tried, for the first time or once more."""
        self._deadline = Deadline(self._timeout)
        self.is_kept = True
        self.is_writing_head = False

    def left(self) -> float:
        """Seconds that the next step may take.

        Raises:
            TimeoutError: none are left.
        """
        return self._deadline.left(at_most=self._timeout)

    def observe(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of an event of httpcore's ``trace`` extension.

        A tunnel through a proxy brings the events of its CONNECT request too.

        Raises:
            httpcore.RemoteProtocolError: the answer was there before the request: it is the rest
                of an earlier one, or one that nobody asked for, and says nothing of this mail.
        """
        if event.endswith(".send_request_headers.started"):
            self._method = info["request"].method
            self.is_writing_head = True
            self.has_read = False
            if not self._is_tunnelling:
                extra = self._octets / MIN_BYTES_PER_SECOND
                self._deadline = Deadline(self._timeout + extra)
        elif event.endswith(".send_request_headers.complete"):
            self.is_writing_head = False
        elif event.endswith(".send_request_body.complete") and not self._is_tunnelling:
            self.handed_over = True
            self._deadline = Deadline(self._timeout)
        elif event.endswith(".receive_response_headers.complete") and not self.has_read:
            raise httpcore.RemoteProtocolError("an answer from before the request")

    @property
    def _is_tunnelling(self) -> bool:
        return self._method == b"CONNECT"


_current: ContextVar[Progress] = ContextVar("_current")


@contextmanager
def bounded_by(progress: Progress) -> Iterator[None]:
    """Have the deadlines of a request hold for all that this thread does on the network."""
    token = _current.set(progress)
    try:
        yield
    finally:
        _current.reset(token)


class BoundedNetwork(httpcore.NetworkBackend):
    """Opens connections, and bounds all that is done with them."""

    def __init__(self) -> None:
        self._system = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  # of httpcore's interface; the deadline is what counts
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers.

        Args:
            host, port: where to.
            timeout: not used.
            local_address, socket_options: handed on.

        Raises:
            httpcore.ConnectError, httpcore.ConnectTimeout: to none of them.
        """

        def connect(_: object, place: Place, seconds: float) -> httpcore.NetworkStream:
            address = str(place[0])
            return self._system.connect_tcp(address, port, seconds, local_address, socket_options)

        progress = _current.get()
        progress.is_kept = False
        try:
            deadline = Deadline(progress.left())
            return _BoundedStream(connect_to_any(host, port, deadline, connect, _UNREACHED))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error


class _BoundedStream(httpcore.NetworkStream):
    """A connection each of whose steps ends at the deadline of the present request.

    A request's head goes out with the start of its body, which follows at once: two small
    packets would wake the server twice.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._head = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # as above
        data = self._stream.read(max_bytes, _left(httpcore.ReadTimeout))
        _current.get().has_read = True
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  # as above
        if _current.get().is_writing_head:
            self._head += buffer
            return
        first, self._head = self._head + buffer[:_BLOCK], b""
        self._stream.write(first, _left(httpcore.WriteTimeout))
        for start in range(_BLOCK, len(buffer), _BLOCK):
            left = _left(httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + _BLOCK], left)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  # as above
    ) -> httpcore.NetworkStream:
        left = _left(httpcore.ConnectTimeout)
        return _BoundedStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


def _left(late: type[httpcore.TimeoutException]) -> float:
    try:
        return _current.get().left()
    except TimeoutError as error:
        raise late(str(error)) from error
