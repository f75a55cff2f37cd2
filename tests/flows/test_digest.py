"""What the digest says of failed runs, without a server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_UI_URL, temporary_settings
from prefect.states import Failed

from prefect_smtp_relay import render
from prefect_smtp_relay.flows.runs.causes import FailedRun
from prefect_smtp_relay.flows.runs.digest import describe

_NOW = datetime(2026, 3, 14, 7, tzinfo=UTC)
_PASSWORD = "s3cret-7c1f"


def failed(message: str, minutes: int, flow: str = "nightly") -> FailedRun:
    """A run that failed some minutes ago."""
    end = _NOW - timedelta(minutes=minutes)
    run = FlowRun(
        flow_id=uuid4(),
        name=f"run-{minutes}",
        state=Failed(message=message),
        state_name="Failed",
        expected_start_time=end,
        end_time=end,
    )
    return flow, run


def test_a_cause_is_new_that_the_time_before_has_not() -> None:
    """It is compared by flow and kind, so that another number is no news."""
    runs = [failed("page 1 is gone", 5), failed("disk full", 7), failed("page 1 is gone", 9, "b")]
    text = render("ann@example.org", **describe(runs, [failed("page 2 is gone", 90)], 1, _NOW)).text
    assert "3 causes, 2 of them new." in text
    assert text.count("New: ") == 2
    assert "page 1 is gone 5 min ago: run-5" in " ".join(text.split())


@pytest.mark.parametrize(
    ("hours", "subject"),
    [
        (1, "1 run of 1 flow failed in the last hour"),
        (48, "1 run of 1 flow failed in the last 48 hours"),
    ],
)
def test_the_subject_says_how_many_and_since_when(hours: int, subject: str) -> None:
    """As people say it."""
    mail = describe([failed("x", 5)], [], hours, _NOW)
    assert f"<title>{subject}</title>" in render("ann@example.org", **mail).html


def test_the_button_leads_to_the_runs() -> None:
    """The list shows their states, from the first run on."""
    with temporary_settings({PREFECT_UI_URL: "https://prefect.example.org"}):
        text = render("ann@example.org", **describe([failed("x", 60)], [], 24, _NOW)).text
    assert (
        "https://prefect.example.org/runs?state=Failed"
        "&start=2026-03-14T06%3A00%3A00Z&end=2026-03-14T07%3A00%3A00Z" in text
    )
    assert "https://prefect.example.org/runs/flow-run/" in text


def test_no_text_of_a_run_is_markup_or_a_secret() -> None:
    """Names and messages show as they are, but for passwords."""
    evil = failed(
        f"db://user:{_PASSWORD}@host | [pay](https://evil.example)\n# now", 5, "| **flow**"
    )
    evil[1].name = f"[x](https://evil.example) password={_PASSWORD}"
    mail = render("ann@example.org", **describe([evil], [], 24, _NOW))
    assert _PASSWORD not in mail.text + mail.html
    assert 'href="https://evil.example' not in mail.html
    assert "| **flow**" in mail.text
