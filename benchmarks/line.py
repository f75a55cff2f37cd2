"""A server at the end of a line: at once on loopback, or behind a round trip of some time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

from benchmarks import proxy, tun
from benchmarks.processes import NotStarted, module

Delay = Literal["none", "tun", "proxy"]

Serving = Callable[[str, str], AbstractContextManager[tuple[int, str]]]
"""Runs a server: takes the address it listens on and the host its certificate is for, gives its
port and its CA as PEM text, blank without TLS."""


@dataclass(frozen=True)
class Target:
    """Where the contestants submit to.

    Args:
        host, port: of the near end.
        ca_pem: what its certificate is checked with; blank: it offers no TLS.
        delay: what holds the packets back.
    """

    host: str
    port: int
    ca_pem: str
    delay: Delay

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
def server_behind(round_trip_ms: int, delay: Delay, serving: Serving) -> Iterator[Target]:
    """Run a server and the line to it.

    Args:
        round_trip_ms: 0 for loopback alone.
        delay: what makes a longer round trip.
        serving: the server.
    """
    delay = delay if round_trip_ms else "none"
    bind, host = (tun.NEAR, tun.FAR) if delay == "tun" else (proxy.BIND, proxy.BIND)
    with ExitStack() as stack:
        if delay == "tun":
            stack.enter_context(module("tun", str(round_trip_ms)))
        port, ca_pem = stack.enter_context(serving(bind, host))
        if delay == "proxy":
            port = int(stack.enter_context(module("proxy", str(round_trip_ms), str(port))))
        yield Target(host, port, ca_pem, delay)
