"""One HTTP request with one bound, from the look-up of the name to the end of the answer.

httpx bounds each read and each write for itself, so that an answer of one byte a second would
never end, and does not bound DNS at all. So a request runs in a thread of its own, over a client
that no other request uses at the time: when the time is over, its connection is cut, and that ends
the thread. httpx's ``trace`` tells how far the request has come.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.deadline import MIN_BYTES_PER_SECOND, Deadline
from prefect_smtp_relay.transports.http.connections import Connection, Connections
from prefect_smtp_relay.transports.http.explaining import LOST, MISCONFIGURED, explain
from prefect_smtp_relay.transports.http.values import (
    HttpAnswer,
    HttpRequest,
    NoAnswer,
    Stage,
)

MAX_BODY = 64 * 1024
"""Bytes of an answer that are read: those of SendGrid and of token endpoints have some hundred."""

_CHUNK = 65_536
_LOOK_SECONDS = 0.25
_CUT_SECONDS = 1.0


def exchange(request: HttpRequest, seconds: float, deadline: Deadline | None = None) -> HttpAnswer:
    """Ask once over a kept connection or a new one, and read the answer.

    The server may have closed a kept connection a moment ago. While the request has not gone out
    as a whole, nothing can have been accepted: then a new connection takes it. A request that has
    gone out is never repeated.

    Args:
        request: what to ask or submit.
        seconds: the bound of each step, and
        deadline: of everything: by default that, and a second more for each 64 KiB of the body.

    Raises:
        NoAnswer: with httpx's exception as its cause.
    """
    connections = process_memory.of(Connections)
    try:
        url = httpx.URL(request.url)
        connection = connections.take(url)
    except MISCONFIGURED as error:
        raise explain(error, "connect") from error
    try:
        answer = _Attempt(connection, request, seconds).run(deadline or _deadline(request, seconds))
    except BaseException:
        connection.close()
        raise
    if answer.missing is None:
        connections.give_back(url, connection)
    else:
        connection.close()
    return answer


class _Attempt:
    """One request over one connection, or over a new one where the kept one was dead."""

    def __init__(self, connection: Connection, request: HttpRequest, seconds: float) -> None:
        self._connection = connection
        self._request = request
        # A host's first address, where it is dead, leaves time for the next one.
        self._timeout = httpx.Timeout(seconds, connect=seconds / 2)
        self._stage: Stage = "connect"
        self._is_new = self._is_tunnelling = self._is_given_up = False
        self._reads = 0
        self._done = threading.Event()
        self._outcome: HttpAnswer | Exception | None = None

    def run(self, deadline: Deadline) -> HttpAnswer:
        """Start the thread, and wait for what comes of it."""
        try:
            threading.Thread(target=self._work, daemon=True).start()
        except RuntimeError:  # the interpreter ends: no thread is to be had
            self._work()
        try:
            self._wait(deadline)
        except TimeoutError:
            self._give_up()
        except BaseException:
            self._give_up()
            raise
        if isinstance(self._outcome, HttpAnswer):
            return self._outcome
        raise self._failure(self._outcome) from self._outcome

    def _wait(self, deadline: Deadline) -> None:
        """Wait in short pieces: a task's timeout reaches a thread only between two of them."""
        while not self._done.wait(deadline.left(_LOOK_SECONDS)):
            pass

    def _give_up(self) -> None:
        """Cut the connection, and let the thread say how far it came before that."""
        self._is_given_up = True
        self._connection.cut()
        if self._stage == "connect" or self._done.wait(_CUT_SECONDS):
            return
        self._stage = "answer"  # nobody can tell: it may have gone out

    def _work(self) -> None:
        try:
            self._outcome = self._ask()
        except Exception as error:
            self._outcome = error
        finally:
            self._done.set()

    def _ask(self) -> HttpAnswer:
        while True:
            try:
                return self._ask_once()
            except LOST:
                if self._stage == "answer" or self._is_new or self._is_given_up:
                    raise

    def _ask_once(self) -> HttpAnswer:
        self._stage, self._is_new = "connect", False
        body = self._request.body
        length = {"Content-Length": str(len(body))} if body else {}
        with self._connection.client.stream(
            self._request.method,
            self._request.url,
            headers={**self._request.headers, **length},
            content=_chunks(body) if body else None,
            timeout=self._timeout,
            extensions={"trace": self._observe},
        ) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return HttpAnswer(response.status_code, headers, *self._read(response))

    def _read(self, response: httpx.Response) -> tuple[bytes, NoAnswer | None]:
        body = b""
        try:
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > MAX_BODY:
                    break
        except (httpx.HTTPError, OSError) as error:
            return body[:MAX_BODY], self._failure(error)
        return body[:MAX_BODY], None

    def _failure(self, error: Exception | None) -> NoAnswer:
        if error is None or self._is_given_up:
            return NoAnswer("late", self._stage)
        return explain(error, self._stage)

    def _observe(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of an event of httpx's ``trace``; a proxy's tunnel has the same ones before.

        An answer that was there before its request is the rest of an earlier one, or one that
        nobody asked for.
        """
        self._connection.observe(event, info)
        if self._is_given_up:
            self._connection.cut()
            raise TimeoutError
        if event.endswith(".connect_tcp.started"):
            self._is_new = True
        elif event == "http11.send_request_headers.started":
            self._is_tunnelling = info["request"].method == b"CONNECT"
            self._reads = self._connection.reads
            self._stage = "connect" if self._is_tunnelling else "request"
        elif event == "http11.send_request_body.complete" and not self._is_tunnelling:
            self._stage = "answer"
        elif event == "http11.receive_response_headers.complete" and (
            self._reads == self._connection.reads
        ):
            raise httpx.RemoteProtocolError("an answer from before the request")


def _deadline(request: HttpRequest, seconds: float) -> Deadline:
    return Deadline(seconds + len(request.body) / MIN_BYTES_PER_SECOND)


def _chunks(body: bytes) -> Iterator[bytes]:
    """One write of a large body would copy what is left of it after each 16 KiB."""
    for start in range(0, len(body), _CHUNK):
        yield body[start : start + _CHUNK]
