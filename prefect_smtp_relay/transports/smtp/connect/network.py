"""From a host's name to a connected socket, in bounded time."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.resolver import Place, connect_to_any, look_up
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.errors import translating


def resolve(config: SmtpConfig) -> list[str]:
    """Ask DNS for the IP addresses of the relay.

    Args:
        config: how to reach it; ``timeout_seconds`` bounds the wait.

    Raises:
        EmailError: there are none, or the answer did not come in time.
    """
    with _naming_the_host(config):
        places = look_up(config.address, config.port, Deadline(config.timeout_seconds))
        return list(dict.fromkeys(str(place[0]) for _, place in places))


def open_socket(config: SmtpConfig, deadline: Deadline | None = None) -> socket.socket:
    """Connect, without a word yet.

    Args:
        config: how to reach the relay.
        deadline: of the whole; ``timeout_seconds`` bounds it in any case.

    Raises:
        EmailError: none of the addresses could be reached.
    """
    with _naming_the_host(config):
        bound = Deadline((deadline or Deadline()).left(config.timeout_seconds))
        return connect_to_any(config.address, config.port, bound, _connect)


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
