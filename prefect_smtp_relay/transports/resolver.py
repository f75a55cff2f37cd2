"""From a host's name to a connection, in bounded time."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from prefect_smtp_relay.transports.deadline import Deadline

Place = tuple[Any, ...]
"""A socket address as `socket.getaddrinfo` gives it."""

T = TypeVar("T")


def connect_to_any(
    host: str,
    port: int,
    deadline: Deadline,
    connect: Callable[[socket.AddressFamily, Place, float], T],
    failures: tuple[type[Exception], ...] = (OSError,),
) -> T:
    """Try a host's addresses one by one.

    Each gets its share of the time that is left, so that a dead one does not use up that of the
    others.

    Args:
        host, port: where to.
        deadline: of the whole, looking up the name included.
        connect: connects to one address within so many seconds.
        failures: what it raises where that fails.

    Returns:
        What ``connect`` gave for the first address that answered.

    Raises:
        Exception: the last of the failures.
        OSError: there is no address, or no time.
    """
    places = look_up(host, port, deadline)
    for untried in reversed(range(len(places))):
        family, place = places[-1 - untried]
        try:
            return connect(family, place, deadline.left() / (1 + untried))
        except failures:
            if not untried:
                raise
    raise OSError("the host has no address")


def look_up(host: str, port: int, deadline: Deadline) -> list[tuple[socket.AddressFamily, Place]]:
    """Look the addresses up, in a thread: the system's resolver knows no time limit.

    Args:
        host: its name, or an IP address, which asks nobody.
        port: goes into the socket addresses.
        deadline: of the wait.

    Returns:
        Each address once, in the system's order.

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
            thread.join(deadline.left())
    except RuntimeError:  # the interpreter ends: no thread is to be had
        ask()
    answer = outcome[0] if outcome else TimeoutError("DNS did not answer")
    if isinstance(answer, Exception):
        raise answer
    return list(dict.fromkeys((family, place) for family, *_, place in answer))


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
