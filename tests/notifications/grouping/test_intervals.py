"""When summaries are due, who sends them, and when a kind of failure is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.schemas.objects import FlowRun

from prefect_smtp_relay.notifications.grouping import variables
from prefect_smtp_relay.notifications.grouping.group import open_name
from prefect_smtp_relay.notifications.grouping.kind import PREFIX
from prefect_smtp_relay.notifications.grouping.sending import send_waiting
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.mails import text_of
from tests.notifications.grouping.failures import KIND, fail, in_minutes, open_and_tell


@pytest.mark.usefixtures("deployed", "connected")
def test_what_is_quiet_for_an_interval_is_over() -> None:
    """After a summary counting goes on; an interval without a failure ends it without a trace."""
    open_and_tell()
    fail("b")
    assert send_waiting(now=in_minutes(14)) == []
    assert [sent.count for sent in send_waiting(now=in_minutes(16))] == [1]
    assert fail("c") is None
    assert [sent.count for sent in send_waiting(now=in_minutes(32))] == [1]
    assert send_waiting(now=in_minutes(48)) == []
    assert list(variables.read_all(PREFIX)) == []
    assert fail("d") is not None


@pytest.mark.usefixtures("connected")
def test_a_run_is_scheduled_that_sends(deployed: Callable[[], list[FlowRun]]) -> None:
    """The first failure schedules a run for the end of the interval, and a summary another."""
    before = datetime.now(UTC)
    open_and_tell()
    fail("b")
    (run,) = deployed()
    assert run.next_scheduled_start_time is not None
    wait = run.next_scheduled_start_time - before
    assert timedelta(minutes=15) <= wait <= timedelta(minutes=16)
    send_waiting(now=in_minutes(16))
    assert len(deployed()) == 2


@pytest.mark.usefixtures("deployed")
def test_where_nobody_sends_the_next_failure_does(connected: MailServer) -> None:
    """A worker that is down for long delays no summary for ever."""
    open_and_tell()
    fail("b")
    opened = variables.read(open_name(KIND.key))
    assert opened is not None
    variables.update(opened, until=in_minutes(-3).isoformat())
    assert fail("c") is None
    assert "failed 2 more times" in text_of(connected.mails[0])
