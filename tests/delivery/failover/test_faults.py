"""A relay that fails, and another one: nobody loses a mail, and nobody gets it twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.delivery.failover.two_relays import CASES, may_fail_over, play
from tests.transports.smtp.faults.scenario import Scenario, SessionKind


@pytest.fixture(scope="module")
def second() -> Iterator[MailServer]:
    """The relay that has no fault."""
    with MailServer() as server:
        yield server
    process_memory.reset()


@pytest.mark.parametrize(
    ("scenario", "kind"), [pytest.param(scenario, kind, id=name) for name, scenario, kind in CASES]
)
def test_the_next_relay_takes_what_was_not_handed_over(
    second: MailServer, certificates: Certificates, scenario: Scenario, kind: SessionKind
) -> None:
    """The second relay gets the mail where the first one has nothing of it, and only there."""
    outcome, at_first, at_second = play(scenario, kind, second, certificates)
    if (expected := may_fail_over(scenario)) is not None:
        assert at_second == expected
    if at_second:
        assert at_first == 0
        receipt = outcome.get()
        assert receipt.relay == "smtp/second"
        assert [passed.relay for passed in receipt.failed_over_from] == ["smtp/first"]
    elif scenario.error is None:
        assert outcome.get().relay == "smtp/first"
        assert outcome.get().failed_over_from == ()
    else:
        assert type(outcome.error) is scenario.error
