"""A sink at the end of a line: at once on loopback, or behind a round trip of some milliseconds."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

from benchmarks.smtp import proxy, tun
from benchmarks.smtp.processes import NotStarted, module
from benchmarks.smtp.sink import own_sink, plain_sink

Delay = Literal["none", "tun", "proxy"]
_CONNECT_SECONDS = 5


@dataclass(frozen=True)
class Target:
    """Where the contestants submit to.

    Args:
        host, port: of the near end.
        ca_pem: what its certificate is checked with; blank: it offers no STARTTLS.
        delay: what holds the packets back.
        greeting_ms: how long a new connection waits for the greeting: two round trips.
    """

    host: str
    port: int
    ca_pem: str
    delay: Delay
    greeting_ms: float

    @property
    def is_far(self) -> bool:
        """Whether a round trip takes time."""
        return self.delay != "none"


def choose_delay() -> Delay:
    """``tun`` where this process may make such a device, else ``proxy``."""
    try:
        with module("tun", "0"):
            return "tun"
    except NotStarted:
        return "proxy"


@contextmanager
def sink_behind(round_trip_ms: int, delay: Delay, *, tls: bool = False) -> Iterator[Target]:
    """Run a sink and the line to it.

    Args:
        round_trip_ms: 0 for loopback alone.
        delay: what makes a longer round trip.
        tls: whether the sink offers STARTTLS.
    """
    delay = delay if round_trip_ms else "none"
    bind, host = (tun.NEAR, tun.FAR) if delay == "tun" else (proxy.BIND, proxy.BIND)
    with ExitStack() as stack:
        if delay == "tun":
            stack.enter_context(module("tun", str(round_trip_ms)))
        if tls:
            port, ca_pem = stack.enter_context(own_sink(bind, host))
        else:
            port, ca_pem = stack.enter_context(plain_sink(bind)), ""
        if delay == "proxy":
            port = int(stack.enter_context(module("proxy", str(round_trip_ms), str(port))))
        yield Target(host, port, ca_pem, delay, _greeting_ms(host, port))


def _greeting_ms(host: str, port: int) -> float:
    started = time.perf_counter()
    with socket.create_connection((host, port), timeout=_CONNECT_SECONDS) as sock:
        sock.recv(1)
    return (time.perf_counter() - started) * 1000
