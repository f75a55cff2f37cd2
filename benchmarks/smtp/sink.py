"""Starting a relay that accepts everything and keeps nothing.

Plain: ``smtp-sink`` of Postfix where it is installed, else our own (`own_sink`). For STARTTLS,
which ``smtp-sink`` lacks, always our own.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from benchmarks.line import Delay, Target, server_behind
from benchmarks.processes import NotStarted, module, running

_START_SECONDS = 10
_CONNECT_SECONDS = 5


def sink_behind(
    round_trip_ms: int, delay: Delay, *, tls: bool = False
) -> AbstractContextManager[Target]:
    """Run a sink and the line to it.

    Args:
        round_trip_ms: 0 for loopback alone.
        delay: what makes a longer round trip.
        tls: whether the sink offers STARTTLS.
    """
    return server_behind(round_trip_ms, delay, own_sink if tls else _plain_sink)


def greeting_ms(target: Target) -> float:
    """Measure how long a new connection waits for the greeting: two round trips."""
    started = time.perf_counter()
    address = (target.host, target.port)
    with socket.create_connection(address, timeout=_CONNECT_SECONDS) as sock:
        sock.recv(1)
    return (time.perf_counter() - started) * 1000


@contextmanager
def own_sink(bind: str, tls_name: str = "") -> Iterator[tuple[int, str]]:
    """Run our own sink, and give its port and its CA as PEM text.

    Args:
        bind: the address it listens on.
        tls_name: the host name or address that its certificate is for; blank: no STARTTLS.
    """
    with module("smtp.own_sink", bind, tls_name) as line:
        port, ca_pem = json.loads(line)
        yield port, ca_pem


def find_postfix_program(name: str) -> str | None:
    """The path of a program of Postfix, which is not in every user's PATH; None: not installed."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")


@contextmanager
def _plain_sink(bind: str, _: str) -> Iterator[tuple[int, str]]:
    if program := find_postfix_program("smtp-sink"):
        with _smtp_sink(program, bind) as port:
            yield port, ""
    else:
        with own_sink(bind) as place:
            yield place


@contextmanager
def _smtp_sink(program: str, bind: str) -> Iterator[int]:
    with socket.create_server((bind, 0)) as probe:
        port: int = probe.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to serve as root
    with running([program, *user, "-h", "bench.test", f"inet:{bind}:{port}", "100"]) as process:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(bind, port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(f"{program} does not listen on {bind}:{port}")
            time.sleep(0.01)
        yield port


def _answers(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port)):
        return True
    return False
