"""What a mail through SendGrid costs, beside its own client: ``python -m benchmarks.sendgrid``.

An HTTPS server on this host accepts everything; a TUN device, or a proxy where that is not
permitted, makes round trips of 40 ms to it (``--delay`` chooses). The contestants take turns in
one process, each builds its mails itself from the same values, and a figure is the median of
several rounds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.line import Delay, Target, server_behind
from benchmarks.opening import begin
from benchmarks.processes import module
from benchmarks.report import Goal, Section
from benchmarks.rounds import milliseconds_per_mail
from benchmarks.sendgrid.contestants import (
    FIRST_MAIL,
    ONE_BY_ONE,
    STOCK,
    TEN_CONNECTIONS,
    environment,
)

_CONTESTANTS = (STOCK, FIRST_MAIL, ONE_BY_ONE, TEN_CONNECTIONS)


@contextmanager
def api(bind: str, host: str) -> Iterator[tuple[int, str]]:
    """Run the server, and give its port and its CA as PEM text."""
    with module("sendgrid.api", bind, host) as line:
        port, ca_pem = json.loads(line)
        yield port, ca_pem


@contextmanager
def api_behind(round_trip_ms: int, delay: Delay) -> Iterator[Target]:
    """Run the server and the line to it, and have it trusted."""
    with server_behind(round_trip_ms, delay, api) as target, environment(target):
        yield target


def measure(delay: Delay, round_trip_ms: int, rounds: int) -> Section:
    """Measure and print mails that differ, to one recipient each."""
    with api_behind(round_trip_ms, delay) as target:
        figures = milliseconds_per_mail(_CONTESTANTS, target, rounds)
    title = (
        f"Distinct mails over HTTPS, building included, round trip of {round_trip_ms} ms"
        f" ({target.delay}), {rounds} rounds:"
    )
    section = Section(title, "ms a mail", figures, STOCK)
    section.print()
    return section


def main() -> None:
    """Measure in the open, then print a verdict for each goal."""
    delay = begin("benchmarks.sendgrid", __doc__)
    near, far = measure(delay, 0, 15), measure(delay, 40, 7)
    goals = (
        Goal("40 ms, one connection", far, ONE_BY_ONE, STOCK, 2.9),
        Goal("40 ms, ten connections", far, TEN_CONNECTIONS, STOCK, 25),
        Goal("0 ms, one connection", near, ONE_BY_ONE, STOCK, 15),
        Goal("40 ms, first mail", far, FIRST_MAIL, STOCK, 1, "of theirs"),
    )
    print()
    for goal in goals:
        print(goal.verdict())


if __name__ == "__main__":
    main()
