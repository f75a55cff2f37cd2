"""The benchmark of the SMTP transport measures what it says it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.line import Target
from benchmarks.mails import distinct_mails
from benchmarks.processes import NotStarted, module
from benchmarks.proxy import BIND
from benchmarks.report import Goal, Section
from benchmarks.rounds import in_turns, milliseconds_per_mail
from benchmarks.smtp.contestants import (
    FIRST_MAIL,
    ONE_BY_ONE,
    ONE_SESSION,
    PREFECT_EMAIL,
    SECOND_MAIL,
    STDLIB,
    STDLIB_KEPT,
    TEN_SESSIONS,
)
from benchmarks.smtp.large import COSTS, cost_of_a_file
from benchmarks.smtp.sink import greeting_ms, own_sink, sink_behind
from benchmarks.tun import mirror


@pytest.fixture
def near() -> Iterator[Target]:
    """Our own sink on loopback, wherever the test runs."""
    with own_sink(BIND) as (port, _):
        yield Target(BIND, port, "", "none")


def test_contestants_submit_in_turns(near: Target) -> None:
    """A round of two mails each gives a figure for each contestant, on the sink of our own."""
    contestants = [STDLIB, STDLIB_KEPT, ONE_BY_ONE, ONE_SESSION, TEN_SESSIONS]
    figures = milliseconds_per_mail(contestants, near, rounds=1, mails=2)
    assert list(figures) == [contestant.name for contestant in contestants]
    assert all(figure > 0 for figure in figures.values())


def test_starttls_is_measured_with_the_certificate_checked() -> None:
    """First and second mail pass a sink with STARTTLS whose certificate the clients verify."""
    with sink_behind(0, "none", tls=True) as target:
        figures = milliseconds_per_mail([STDLIB, FIRST_MAIL, SECOND_MAIL], target, 1, mails=1)
    assert target.ca_pem.startswith("-----BEGIN CERTIFICATE-----")
    assert len(figures) == 3


def test_a_file_has_each_cost_measured(near: Target, tmp_path: Path) -> None:
    """CPU time, peak memory and the event loop's stall are taken of a mail with a file."""
    file = tmp_path / "report.bin"
    file.write_bytes(bytes(100_000))
    costs = cost_of_a_file([ONE_BY_ONE], near, 1, file)
    assert costs.keys() == COSTS.keys()
    assert all(figures[ONE_BY_ONE.name] > 0 for figures in costs.values())


def test_the_proxy_makes_a_client_wait_for_the_greeting() -> None:
    """Behind the proxy the greeting takes two round trips, as the TCP handshake costs one."""
    with sink_behind(20, "proxy") as target:
        milliseconds_per_mail([STDLIB], target, rounds=1, mails=1)
        assert greeting_ms(target) >= 40


def test_a_mirrored_packet_keeps_its_checksum() -> None:
    """Source and destination change places, and the sum over the header stays the same."""
    packet = bytes(range(40))
    mirrored = mirror(packet)
    assert mirrored[12:16] == packet[16:20]
    assert mirrored[16:20] == packet[12:16]
    assert sorted(mirrored) == sorted(packet)
    assert (mirrored[:12], mirrored[20:]) == (packet[:12], packet[20:])


def test_turns_begin_with_each_subject() -> None:
    """Each round begins with another subject, and the first round is for nothing."""
    asked: list[str] = []
    answers = in_turns([lambda: asked.append("a"), lambda: asked.append("b")], rounds=2)
    assert "".join(asked) == "baabba"
    assert [len(answer) for answer in answers] == [2, 2]


def test_mails_differ() -> None:
    """No two mails are alike, over several calls as well."""
    mails = [*distinct_mails(2), *distinct_mails(2)]
    assert len({mail.text for mail in mails}) == 4


def test_a_process_that_cannot_start_is_told_apart() -> None:
    """A module that ends before it is ready is an error that names it, not a wait."""
    with pytest.raises(NotStarted, match=r"benchmarks\.proxy"), module("proxy"):
        pass


@pytest.mark.parametrize(
    ("goal", "verdict"),
    [
        (("g", ONE_BY_ONE, STDLIB, 5.0, "times less"), "measured 5.00, met"),
        (("g", ONE_BY_ONE, STDLIB, 5.1, "times less"), "measured 5.00, NOT met"),
        (("g", ONE_BY_ONE, STDLIB, 0.2, "of theirs"), "measured 0.20, met"),
        (("g", ONE_BY_ONE, STDLIB, 0.1, "of theirs"), "measured 0.20, NOT met"),
        (("g", ONE_BY_ONE, PREFECT_EMAIL, 1.0, "times less"), "not measured"),
    ],
)
def test_a_verdict_compares_what_was_measured(goal: tuple[object, ...], verdict: str) -> None:
    """A goal is met or not by the ratio of the figures, and unmeasured without one of them."""
    name, subject, theirs, bound, kind = goal
    section = Section("title", "ms", {ONE_BY_ONE.name: 2.0, STDLIB.name: 10.0}, STDLIB)
    assert verdict in Goal(name, section, subject, theirs, bound, kind).verdict()  # type: ignore[arg-type]  # a table of arguments
