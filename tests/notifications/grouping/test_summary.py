"""What a summary says, and where its links lead."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prefect.settings import PREFECT_UI_URL, temporary_settings

from prefect_smtp_relay import render
from prefect_smtp_relay.notifications.grouping.kind import Occurrence
from prefect_smtp_relay.notifications.grouping.summary import summarise
from tests.notifications.grouping.failures import KIND

NIGHT = datetime(2026, 3, 14, 3, 7, tzinfo=UTC)


def runs(count: int) -> list[Occurrence]:
    """So many runs, one a second."""
    moments = [NIGHT + timedelta(seconds=n) for n in range(count)]
    return [
        Occurrence(
            id=str(n),
            name=f"run-{n}",
            at=moment.isoformat(),
            began=moment.isoformat(),
            url=f"http://prefect.test/runs/flow-run/{n}",
        )
        for n, moment in enumerate(moments)
    ]


def test_a_summary_of_many_names_the_first_and_the_last_ones() -> None:
    """Twenty runs have links; all are on the page of Prefect's interface to which it links."""
    kind = replace(KIND, flow_id="0c1d3e1a-9c1e-4d4b-a5be-2f4b7f1f8a7a")
    with temporary_settings({PREFECT_UI_URL: "http://prefect.test"}):
        mail = render("ann@example.org", **summarise(kind, runs(500), runs(1)[0]))
    assert "import failed 500 more times" in mail.text
    assert mail.text.count("http://prefect.test/runs/flow-run/") == 20 + 2
    assert "480 more, run-485" in " ".join(mail.text.split())
    assert (
        "http://prefect.test/runs?state=Crashed&state=Failed&state=TimedOut"
        "&start=2026-03-14T03%3A06%3A58Z&end=2026-03-14T03%3A15%3A21Z"
        "&flows=0c1d3e1a-9c1e-4d4b-a5be-2f4b7f1f8a7a"
    ) in mail.text


@pytest.mark.parametrize(
    ("state", "title"),
    [
        ("TimedOut", "import timed out 2 times"),
        ("Cancelled", "import cancelled 2 times"),
        ("", "import: 2 times"),
    ],
)
def test_the_title_says_what_happened(state: str, title: str) -> None:
    """Without a first mail it says nothing of more; a text that names no run has no state."""
    mail = render("ann@example.org", **summarise(replace(KIND, state=state), runs(2), None))
    assert title in mail.text


def test_names_and_causes_are_text() -> None:
    """What comes from outside brings in no markup and no link."""
    kind = replace(KIND, name="[x](http://evil.test)", cause="`<b>`")
    mail = render("ann@example.org", **summarise(kind, runs(1), None))
    assert 'href="http://evil.test' not in mail.html
    assert "<b>" not in mail.html
