"""From a host's name to a connection, in bounded time."""

from __future__ import annotations

import errno
import ipaddress
import itertools
import os
import selectors
import socket
import threading
from typing import Any, cast

from prefect_smtp_relay.transports.deadline import Deadline

Address = tuple[socket.AddressFamily, tuple[Any, ...]]
"""A family, and a socket address as `socket.getaddrinfo` gives it."""

_ATTEMPT_DELAY_SECONDS = 0.25
"""RFC 8305, section 5: how long an attempt has before the next one starts beside it."""

_ROUND_SECONDS = 1.0
"""A task's timeout reaches a thread only between two waits."""

_UNDER_WAY = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK})


def connect_to_first(untried: list[Address], deadline: Deadline) -> tuple[socket.socket, Address]:
    """Connect to the first of these addresses that answers (RFC 8305, section 5).

    The next attempt starts when one has failed, or 250 ms after it: a dead address costs no more.

    Args:
        untried: in the order wanted; those that were used up are removed.
        deadline: of the whole.

    Returns:
        The socket, which does not block, and its address.

    Raises:
        OSError: none of them answers; the last of the failures.
    """
    with selectors.DefaultSelector() as attempts:
        try:
            return _race(attempts, untried, deadline)
        finally:
            slower = list(attempts.get_map().values())
            untried[:0] = [attempt.data for attempt in slower]
            for attempt in slower:
                cast("socket.socket", attempt.fileobj).close()


def _race(
    attempts: selectors.BaseSelector, untried: list[Address], deadline: Deadline
) -> tuple[socket.socket, Address]:
    failure = OSError("no address is left")
    while untried or attempts.get_map():
        left = deadline.left(_ATTEMPT_DELAY_SECONDS if len(untried) > 1 else _ROUND_SECONDS)
        try:
            if untried:
                _start(attempts, untried.pop(0))
            for attempt, _ in attempts.select(left):
                return _finish(attempts, attempt)
        except OSError as error:
            failure = error
    raise failure


def _start(attempts: selectors.BaseSelector, address: Address) -> None:
    sock = socket.socket(address[0], socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        _check(sock.connect_ex(address[1]), _UNDER_WAY)
        attempts.register(sock, selectors.EVENT_WRITE, address)
    except BaseException:
        sock.close()
        raise


def _finish(
    attempts: selectors.BaseSelector, attempt: selectors.SelectorKey
) -> tuple[socket.socket, Address]:
    attempts.unregister(attempt.fileobj)
    sock = cast("socket.socket", attempt.fileobj)
    try:
        _check(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    except BaseException:
        sock.close()
        raise
    return sock, attempt.data


def _check(code: int, fine: frozenset[int] = frozenset({0})) -> None:
    if code not in fine:
        raise OSError(code, os.strerror(code))


def _interleave(addresses: list[Address]) -> list[Address]:
    """Alternate between IPv6 and IPv4, the system's favourite first (RFC 8305, section 4)."""
    first = [address for address in addresses if address[0] == addresses[0][0]]
    others = [address for address in addresses if address[0] != addresses[0][0]]
    pairs = itertools.zip_longest(first, others)
    return [address for pair in pairs for address in pair if address is not None]


def look_up(host: str, port: int, deadline: Deadline) -> list[Address]:
    """Look the addresses up, in a thread: the system's resolver knows no time limit.

    Args:
        host: its name, or an IP address, which asks nobody.
        port: goes into the socket addresses.
        deadline: of the wait.

    Returns:
        Each address once, IPv6 and IPv4 in turn.

    Raises:
        OSError: there is no such host, or the answer did not come in time.
        UnicodeError: it cannot be a host name.
    """
    outcome: list[list[Any] | Exception] = []

    def ask() -> None:
        try:
            outcome.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:
            outcome.append(error)

    try:
        if _is_ip_address(host):
            ask()
        else:
            thread = threading.Thread(target=ask, daemon=True)
            thread.start()
            while thread.is_alive():
                thread.join(deadline.left(_ROUND_SECONDS))
    except RuntimeError:  # the interpreter ends: no thread is to be had
        ask()
    answer = outcome[0] if outcome else TimeoutError("DNS did not answer")
    if isinstance(answer, Exception):
        raise answer
    if not answer:
        raise OSError("the host has no address")
    return _interleave(list(dict.fromkeys((family, name) for family, *_, name in answer)))


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
