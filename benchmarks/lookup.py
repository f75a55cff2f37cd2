"""What asking the Prefect API for the relay costs: ``python -m benchmarks.lookup``.

A temporary Prefect server on loopback (SQLite) holds one SMTP and one SendGrid document. Every
HTTP request of the process passes through ``httpx.Client.send``, which is wrapped to count.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import httpx

# Read when Prefect is imported: its reports home would be requests and disk writes between ours.
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

from prefect.context import SyncClientContext
from prefect.testing.utilities import prefect_test_harness
from pydantic import SecretStr

from prefect_smtp_relay import SMTP, SendGrid
from prefect_smtp_relay.runtime import catalog

_STARTUP_SECONDS = 180
_WARM_UPS = 5
_LOOKUPS = 50


@dataclass(frozen=True)
class Cost:
    """What look-ups of one kind cost.

    Args:
        requests: HTTP requests a look-up.
        milliseconds: of each look-up.
    """

    requests: float
    milliseconds: list[float]


@contextmanager
def counting_requests() -> Iterator[list[str]]:
    """Give a list that gets the method and path of each HTTP request of the process."""
    seen: list[str] = []
    send = httpx.Client.send

    def counted(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        seen.append(f"{request.method} {request.url.path}")
        return send(client, request, **options)

    with mock.patch.object(httpx.Client, "send", counted):
        yield seen


def measure(look_up: Callable[[], object], times: int = _LOOKUPS) -> Cost:
    """Look up again and again, after some warm-ups.

    Args:
        look_up: one look-up.
        times: how often it is measured.
    """
    for _ in range(_WARM_UPS):
        look_up()
    milliseconds = []
    with counting_requests() as seen:
        for _ in range(times):
            started = time.perf_counter()
            look_up()
            milliseconds.append((time.perf_counter() - started) * 1000)
    return Cost(len(seen) / times, milliseconds)


def main() -> None:
    """Measure both kinds of look-up, and print a table."""
    with prefect_test_harness(server_startup_timeout=_STARTUP_SECONDS):
        SMTP(address="smtp.example.org").save("bench")
        SendGrid(api_key=SecretStr("SG.bench")).save("bench")
        with SyncClientContext.get_or_create():
            kept = measure(catalog.preferred)
        new = measure(catalog.preferred)
    print(f"catalog.preferred(), {_LOOKUPS} look-ups each:\n")
    print(f"{'client':<30}{'requests':>9}{'median ms':>11}{'p90 ms':>8}")
    _print_row("kept (in a sync flow)", kept)
    _print_row("new (async flow, or no flow)", new)


def _print_row(name: str, cost: Cost) -> None:
    median = statistics.median(cost.milliseconds)
    p90 = statistics.quantiles(cost.milliseconds, n=10)[8]
    print(f"{name:<30}{cost.requests:>9.1f}{median:>11.1f}{p90:>8.1f}")


if __name__ == "__main__":
    main()
