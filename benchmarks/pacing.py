"""Whether many processes with one block keep to what the relay permits, and use it.

``python -m benchmarks.pacing`` runs eight processes for a minute, half of them with `send_emails`,
half with `send_an_email`, against a relay that permits 600 messages in any minute and counts what
it refuses. ``--without`` sends without the block's limits, for comparison. ``--cost`` says instead
what a pace that nobody reaches costs each of 1,000 mails, and how many requests.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.prefect_api import PrefectApi, own_prefect_api
from benchmarks.processes import running
from benchmarks.strict_relay import StrictRelay

_BATCH, _MANY, _ROUNDS, _UNREACHED = 50, 1_000, 7, 600_000
_MAIL = {"to": "ann@example.org", "subject": "paced", "body": "b"}


def main() -> None:
    """Measure, or be one of the processes."""
    parser = argparse.ArgumentParser(description="Pacing over many processes.")
    parser.add_argument("--limit", type=int, default=600, help="messages a minute")
    parser.add_argument("--connections", type=int, default=0, help="at once; 0: any number")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--without", action="store_true", help="without the block's limits")
    parser.add_argument("--cost", action="store_true", help="of a pace that nobody reaches")
    parser.add_argument("--worker", choices=("one", "many"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        _work(options.worker)
    with own_prefect_api() as api:
        if options.cost:
            _measure_cost(api)
        else:
            _measure(options)


def _connect(relay: StrictRelay, **limits: int) -> None:
    from prefect_smtp_relay import SMTP

    block = SMTP(
        address="127.0.0.1", port=relay.port, ssl=False, from_address="ops@example.org", **limits
    )
    block.save("paced", overwrite=True)


def _measure(options: argparse.Namespace) -> None:
    relay = StrictRelay(options.limit, options.connections)
    relay.start()
    limits = {"messages_per_minute": options.limit, "max_connections": options.connections}
    _connect(relay, **({} if options.without else limits))
    with _workers(options.processes):
        began = time.monotonic()
        time.sleep(options.seconds)
    _report(relay, options, began)


def _measure_cost(api: PrefectApi) -> None:
    """Compare batches with a pace and without one, in turn."""
    from prefect_smtp_relay import send_emails

    relay = StrictRelay()
    relay.start()
    mails = [dict(_MAIL)] * _MANY
    seconds: dict[int, list[float]] = {_UNREACHED: [], 0: []}
    for round_ in range(_ROUNDS + 1):
        for pace, measured in seconds.items():
            _connect(relay, messages_per_minute=pace)
            api.take_count()
            began = time.perf_counter()
            send_emails.fn(mails)
            if round_:  # the first one of each warms up
                measured.append(time.perf_counter() - began)
            if pace:
                requests = api.take_count()
    with_pace, without = (min(measured) * 1000 / _MANY for measured in seconds.values())
    print(
        f"{_MANY} mails, {_ROUNDS} rounds, the best: {with_pace:.3f} ms a mail with a pace,"
        f" {without:.3f} ms without: {with_pace - without:+.3f} ms. Requests: {dict(requests)}"
    )


def _report(relay: StrictRelay, options: argparse.Namespace, began: float) -> None:
    permitted = options.limit * options.seconds / 60
    used = sum(began <= stamp < began + options.seconds for stamp in relay.accepted)
    print(
        f"{options.processes} processes, {options.limit} messages a minute permitted,"
        f" {options.seconds:.0f} s: {used} accepted ({100 * used / permitted:.1f} %),"
        f" at most {relay.most_in(60)} in any 60 s, {relay.most_in(1)} in any second;"
        f" {relay.refused} refused for the rate, {relay.turned_away} connections turned away,"
        f" at most {relay.most_connections} at once."
    )


@contextmanager
def _workers(count: int) -> Iterator[None]:
    """Run so many; go on when each has sent."""
    with ExitStack() as stack:
        lines = []
        for number in range(count):
            kind = ("one", "many")[number % 2]
            command = [sys.executable, "-m", "benchmarks.pacing", "--worker", kind]
            worker = stack.enter_context(running(command, stdout=subprocess.PIPE))
            lines.append(worker.stdout)
        for line in filter(None, lines):
            line.readline()
        yield


def _work(kind: str) -> None:
    """Send until the process is ended."""
    from prefect_smtp_relay import send_an_email, send_emails
    from prefect_smtp_relay.exceptions import EmailError

    os.environ["PREFECT_INTEGRATIONS_SMTP_RELAY_DEFAULT_DELIVERY"] = "refuse"
    is_ready = False
    while True:
        with contextlib.suppress(EmailError):  # the relay counts what it refused
            if kind == "one":
                send_an_email.fn(_MAIL["to"], _MAIL["subject"], _MAIL["body"])
            else:
                send_emails.fn([_MAIL] * (_BATCH if is_ready else 1))
        if not is_ready:
            print("ready", flush=True)
            is_ready = True


if __name__ == "__main__":
    main()
