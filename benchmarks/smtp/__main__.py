"""What submitting mail costs, beside what else Python has for it: ``python -m benchmarks.smtp``.

A sink on this host accepts everything; a TUN device, or a proxy where that is not permitted, makes
round trips of 10 and 40 ms to it (``--delay`` chooses). The contestants take turns in one process,
each builds its mails itself from the same values, and a figure is the median of several rounds.
`socket.getfqdn`, which prefect-email has called for each mail, is answered from memory: how long
DNS takes is not measured.
"""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from unittest import mock

# Read when Prefect is imported, by prefect-email: its reports home would be requests between ours.
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

from benchmarks.line import Delay
from benchmarks.mails import DOMAIN
from benchmarks.opening import begin
from benchmarks.report import Goal, Section
from benchmarks.rounds import milliseconds_per_mail
from benchmarks.smtp.contestants import (
    AIOSMTPLIB,
    FIRST_MAIL,
    ONE_BY_ONE,
    ONE_SESSION,
    PREFECT_EMAIL,
    SECOND_MAIL,
    SMTP_SOURCE,
    STDLIB,
    STDLIB_KEPT,
    STDLIB_MAIL,
    TEN_SESSIONS,
    how_to_install,
    installed,
)
from benchmarks.smtp.large import COSTS, cost_of_a_file
from benchmarks.smtp.sink import find_postfix_program, greeting_ms, sink_behind

_MAILS = (
    PREFECT_EMAIL,
    STDLIB,
    STDLIB_KEPT,
    AIOSMTPLIB,
    SMTP_SOURCE,
    ONE_BY_ONE,
    ONE_SESSION,
    TEN_SESSIONS,
)
_RECIPIENTS = (PREFECT_EMAIL, STDLIB_KEPT, AIOSMTPLIB, ONE_BY_ONE)
_STARTTLS = (STDLIB_MAIL, FIRST_MAIL, SECOND_MAIL)
_FILE_MEGABYTES = 10


def measure_mails(delay: Delay, round_trip_ms: int, rounds: int) -> Section:
    """Many mails that differ, to one recipient each."""
    with sink_behind(round_trip_ms, delay) as target:
        greeting = greeting_ms(target)
        figures = milliseconds_per_mail(installed(_MAILS), target, rounds)
    title = (
        f"Distinct mails, building included, round trip of {round_trip_ms} ms ({target.delay};"
        f" greeting after {greeting:.1f} ms), {rounds} rounds:"
    )
    return Section(title, "ms a mail", figures, PREFECT_EMAIL)


def measure_recipients(delay: Delay, round_trip_ms: int, rounds: int) -> Section:
    """One mail to many recipients."""
    with sink_behind(round_trip_ms, delay) as target:
        figures = milliseconds_per_mail(
            installed(_RECIPIENTS), target, rounds, mails=1, recipients=100
        )
    title = f"One mail to 100 recipients, round trip of {round_trip_ms} ms, {rounds} rounds:"
    return Section(title, "ms a mail", figures, STDLIB_KEPT)


def measure_starttls(delay: Delay, round_trip_ms: int, rounds: int) -> Section:
    """The first and the second mail of a process, TLS contexts made before."""
    with sink_behind(round_trip_ms, delay, tls=True) as target:
        figures = milliseconds_per_mail(_STARTTLS, target, rounds, mails=1)
    title = f"STARTTLS, certificate checked, round trip of {round_trip_ms} ms, {rounds} rounds:"
    return Section(title, "ms a mail", figures, STDLIB_MAIL)


def measure_file(delay: Delay, rounds: int) -> dict[str, Section]:
    """A mail with a large file, near by: one table a cost."""
    with tempfile.TemporaryDirectory() as directory, sink_behind(0, delay) as target:
        file = Path(directory, "report.bin")
        file.write_bytes(os.urandom(_FILE_MEGABYTES * 1_000_000))
        contestants = installed((PREFECT_EMAIL, ONE_BY_ONE))
        costs = cost_of_a_file(contestants, target, rounds, file)
    title = f"A file of {_FILE_MEGABYTES} MB attached, on loopback, {rounds} rounds: {{}}"
    return {
        unit: Section(title.format(unit), unit, figures, PREFECT_EMAIL)
        for unit, figures in costs.items()
    }


def measure(delay: Delay) -> list[Goal]:
    """Measure and print everything, and give what should have come out."""
    near, _, far = (
        _printed(measure_mails(delay, round_trip_ms, rounds))
        for round_trip_ms, rounds in ((0, 9), (10, 7), (40, 5))
    )
    many = _printed(measure_recipients(delay, 40, 3))
    near_tls, far_tls = (_printed(measure_starttls(delay, rtt, 15)) for rtt in (0, 40))
    file = measure_file(delay, 11)
    for unit in COSTS:
        _printed(file[unit])
    return [
        Goal("40 ms, one session", far, ONE_SESSION, PREFECT_EMAIL, 6.5),
        Goal("40 ms, one session", far, ONE_SESSION, SMTP_SOURCE, 3.4),
        Goal("40 ms, ten sessions", far, TEN_SESSIONS, PREFECT_EMAIL, 50),
        Goal("0 ms, one session", near, ONE_SESSION, PREFECT_EMAIL, 8),
        Goal("40 ms, 100 recipients", many, ONE_BY_ONE, STDLIB_KEPT, 25),
        Goal("40 ms, second mail with STARTTLS", far_tls, SECOND_MAIL, STDLIB_MAIL, 5),
        Goal(
            "40 ms, first mail with STARTTLS", far_tls, FIRST_MAIL, STDLIB_MAIL, 0.85, "of theirs"
        ),
        Goal("0 ms, first mail with STARTTLS", near_tls, FIRST_MAIL, STDLIB_MAIL, 1, "of theirs"),
        Goal("10 MB file, CPU time", file["CPU ms"], ONE_BY_ONE, PREFECT_EMAIL, 7),
        Goal("10 MB file, peak memory", file["peak MB"], ONE_BY_ONE, PREFECT_EMAIL, 25),
        Goal("10 MB file, event loop's stall", file["stall ms"], ONE_BY_ONE, PREFECT_EMAIL, 10),
    ]


def _printed(section: Section) -> Section:
    section.print()
    return section


def main() -> None:
    """Measure in the open, then print a verdict for each goal."""
    delay = begin("benchmarks.smtp", __doc__)
    print(f"Sink: {find_postfix_program('smtp-sink') or 'our own'}; for STARTTLS our own")
    for contestant in _MAILS:
        if missing := how_to_install(contestant):
            print(f"{contestant.name}: left out, not installed: {missing}")
    with mock.patch.object(socket, "getfqdn", return_value=DOMAIN):
        goals = measure(delay)
    print()
    for goal in goals:
        print(goal.verdict())


if __name__ == "__main__":
    main()
