"""Many messages through one transport, over several connections at once."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import islice
from typing import Generic, Protocol, TypeVar, runtime_checkable

from prefect_smtp_relay.exceptions import EmailError, InternalError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.base import Transport

T = TypeVar("T")
R = TypeVar("R")

Mail = tuple[Message, Envelope]
"""A message, and to whom it goes."""

Result = Receipt | EmailError
"""What became of one message of many."""

Report = Callable[[int, Result], None]
"""Takes a mail's number, from 0 in the order in which they were drawn, and its result."""

_ROUND_SECONDS = 0.2


@runtime_checkable
class BulkTransport(Transport, Protocol):
    """A transport that is faster with many messages than with one after the other."""

    def deliver_all(
        self, mails: Iterable[Mail], connections: int = 1, report: Report | None = None
    ) -> list[Result]:
        """Submit many messages, as the function of this name does."""


def deliver_all(
    transport: Transport,
    mails: Iterable[Mail],
    connections: int = 1,
    report: Report | None = None,
) -> list[Result]:
    """Submit many messages through any transport.

    Once the relay asks to wait (``retry_after``), the messages that are not begun wait too.

    Args:
        transport: takes them.
        mails: messages with their envelopes, each drawn shortly before its turn, by any thread.
        connections: how many at once; each has a thread of its own.
        report: called with each result as soon as it is known, in the thread of its connection.

    Returns:
        What became of each, in their order.
    """
    if isinstance(transport, BulkTransport):
        return transport.deliver_all(mails, connections, report)
    results = Results(report)
    asked_to_wait: list[EmailError] = []
    backlog = Backlog(enumerate(mails))

    def work() -> None:
        while (waiting := backlog.take()) is not None:
            number, mail = waiting
            result = asked_to_wait[0].copy() if asked_to_wait else _deliver(transport, *mail)
            if isinstance(result, EmailError) and result.retry_after is not None:
                asked_to_wait.append(result)
            results.note(number, result)

    in_threads(work, connections, backlog)
    return results.in_order()


def _deliver(transport: Transport, message: Message, envelope: Envelope) -> Result:
    try:
        return transport.deliver(message, envelope)
    except Exception as error:  # what nobody foresaw is one mail's, too
        return foreseen(error).copy()  # a transport may raise one error for many mails


def foreseen(error: Exception) -> EmailError:
    """Return the error, or an `InternalError` in place of what breaks the contract."""
    return error if isinstance(error, EmailError) else InternalError.of(error)


class Results:
    """What became of the messages up to now.

    Args:
        report: called with each result.
    """

    def __init__(self, report: Report | None) -> None:
        self._report = report
        self._results: dict[int, Result] = {}

    def note(self, number: int, result: Result) -> None:
        """Keep and report what became of a message."""
        self._results[number] = result
        if self._report is not None:
            self._report(number, result)

    def in_order(self) -> list[Result]:
        """Return all, in the order of their numbers."""
        return [self._results[number] for number in range(len(self._results))]


class Backlog(Generic[T]):
    """What waits for its turn; several threads may take from it.

    Args:
        items: in their order; each is drawn when it is asked for.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._coming = iter(items)
        self._waiting: deque[T] = deque()
        self._lock = threading.Lock()

    @property
    def next(self) -> T | None:
        """The next one, which stays where it is."""
        with self._lock:
            self._draw()
            return self._waiting[0] if self._waiting else None

    def take(self) -> T | None:
        """Take the next one; None if there is none."""
        with self._lock:
            self._draw()
            return self._waiting.popleft() if self._waiting else None

    def put_back(self, item: T) -> None:
        """Let one wait again, before all others."""
        with self._lock:
            self._waiting.appendleft(item)

    def clear(self) -> None:
        """Give up all that wait."""
        with self._lock:
            self._waiting.clear()
            self._coming = iter(())

    def _draw(self) -> None:
        if not self._waiting:
            self._waiting.extend(islice(self._coming, 1))


def in_threads(work: Callable[[], R], threads: int, backlog: Backlog[T]) -> list[R]:
    """Work a backlog off in several threads at once, each in a copy of the caller's context.

    What ends this early (an error of the program, the timeout of a task) must not submit the
    rest: the other threads end with what is under way.

    Args:
        work: takes from the backlog until it is empty.
        threads: how many; for one, the caller's own does it.
        backlog: emptied on an error.

    Returns:
        What each thread returned.
    """

    def guarded() -> R:
        try:
            return work()
        except BaseException:
            backlog.clear()
            raise

    if threads <= 1:
        return [guarded()]
    with ThreadPoolExecutor(threads) as pool:
        try:
            run = [contextvars.copy_context().run for _ in range(threads)]
            running = [pool.submit(each, guarded) for each in run]
            while wait(running, _ROUND_SECONDS).not_done:
                pass  # in a thread, nothing else lets a task's timeout in
        except BaseException:
            backlog.clear()
            raise
    return [each.result() for each in running]
