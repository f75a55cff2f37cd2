"""From a host's name to a connected socket, in bounded time."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Iterator
from typing import Any

from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.deadline import Deadline
from prefect_smtp_relay.transports.smtp.errors import translating

Place = tuple[Any, ...]
"""A socket address as `socket.getaddrinfo` gives it."""


def resolve(config: SmtpConfig) -> list[str]:
    """Ask DNS for the IP addresses of the relay.

    Args:
        config: how to reach it; ``timeout_seconds`` bounds the wait.

    Raises:
        EmailError: there are none, or the answer did not come in time.
    """
    with _naming_the_host(config):
        places = _look_up(config, Deadline(config.timeout_seconds))
        return list(dict.fromkeys(str(place[0]) for _, place in places))


def open_socket(config: SmtpConfig, deadline: Deadline | None = None) -> socket.socket:
    """Connect, without a word yet.

    The addresses are tried one by one; each gets its share of the time that is left, so that a
    dead one does not use up that of the others.

    Args:
        config: how to reach the relay.
        deadline: of the whole; ``timeout_seconds`` bounds it in any case.

    Raises:
        EmailError: none of the addresses could be reached.
    """
    with _naming_the_host(config):
        bound = Deadline((deadline or Deadline()).left(config.timeout_seconds))
        places = _look_up(config, bound)
        for tried, (family, place) in enumerate(places, start=1):
            untried = len(places) - tried
            try:
                return _connect(family, place, bound.left() / (1 + untried))
            except OSError:
                if not untried:
                    raise
        raise OSError("the host has no address")


def is_loopback(sock: socket.socket) -> bool:
    """Whether the peer is this host itself, so that nobody can read along."""
    address = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _connect(family: socket.AddressFamily, place: Place, seconds: float) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect(place)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _look_up(config: SmtpConfig, deadline: Deadline) -> list[tuple[socket.AddressFamily, Place]]:
    """Look the addresses up, in a thread: the system's resolver knows no time limit."""
    outcome: list[list[Any] | Exception] = []

    def ask() -> None:
        try:
            address, port = config.address, config.port
            outcome.append(socket.getaddrinfo(address, port, type=socket.SOCK_STREAM))
        except Exception as error:
            outcome.append(error)

    try:
        if _is_ip_address(config.address):
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


def _is_ip_address(address: str) -> bool:
    try:
        ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return True


@contextlib.contextmanager
def _naming_the_host(config: SmtpConfig) -> Iterator[None]:
    with translating(config.name, "connect"):
        try:
            yield
        except UnicodeError as error:
            raise RelayConfigurationError(
                f"{config.name}: not a host name ({error}). Set `address` to a domain name or an"
                " IP address."
            ) from error
