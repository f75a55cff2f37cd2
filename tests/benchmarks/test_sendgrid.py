"""The benchmark of the SendGrid transport measures what it says it does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.line import Target
from benchmarks.rounds import milliseconds_per_mail
from benchmarks.sendgrid.__main__ import api_behind
from benchmarks.sendgrid.contestants import (
    FIRST_MAIL,
    ONE_BY_ONE,
    STOCK,
    TEN_CONNECTIONS,
    environment,
)
from prefect_smtp_relay.exceptions import TlsFailed


@pytest.fixture
def near() -> Iterator[Target]:
    """Our own server on loopback."""
    with api_behind(0, "none") as target:
        yield target


def test_contestants_submit_in_turns(near: Target) -> None:
    """A round of two mails each gives a figure for each contestant, over verified TLS."""
    contestants = [STOCK, FIRST_MAIL, ONE_BY_ONE, TEN_CONNECTIONS]
    figures = milliseconds_per_mail(contestants, near, rounds=1, mails=2)
    assert list(figures) == [contestant.name for contestant in contestants]
    assert all(figure > 0 for figure in figures.values())


def test_contestants_verify_the_certificate(near: Target) -> None:
    """Without the server's CA neither client submits, so both pay for the verification."""
    stranger = Target(near.host, near.port, ca_pem="", delay="none")
    with environment(stranger):
        for contestant, error in ((STOCK, "CERTIFICATE_VERIFY_FAILED"), (ONE_BY_ONE, "trusted")):
            with pytest.raises((OSError, TlsFailed), match=error):
                milliseconds_per_mail([contestant], stranger, rounds=1, mails=1)


def test_a_kept_connection_costs_fewer_round_trips() -> None:
    """Behind the proxy the stock client waits for three round trips a mail, ours for one."""
    with api_behind(20, "proxy") as target:
        figures = milliseconds_per_mail([STOCK, ONE_BY_ONE], target, rounds=1, mails=1)
    assert figures[STOCK.name] >= 60
    assert figures[ONE_BY_ONE.name] >= 20
