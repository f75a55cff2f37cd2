"""The report of a run as a mail, without a server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from demo.own_mails import failure
from prefect_smtp_relay import RunReport, render
from prefect_smtp_relay.rendering.labels import Tone

_PASSWORD = "s3cret-7c1f"


@pytest.mark.parametrize(
    ("state", "state_type", "label", "tone"),
    [
        ("Failed", "FAILED", "Failed", "critical"),
        ("TimedOut", "FAILED", "Timed out", "critical"),
        ("Crashed", "CRASHED", "Crashed", "critical"),
        ("Cancelled", "CANCELLED", "Cancelled", "warning"),
        ("Completed", "COMPLETED", "Completed", "good"),
        ("Running", "RUNNING", "Running", "info"),
    ],
)
def test_the_state_is_told_in_words_and_in_a_tone(
    state: str, state_type: str, label: str, tone: Tone
) -> None:
    """Beside it stand the deployment and the try, without a tone of their own."""
    report = replace(failure(), state=state, state_type=state_type)
    assert report.mail["tone"] == tone
    assert report.mail["labels"] == {label: tone, "prod": "", "try 3 of 3": ""}
    assert report.subject == f"{label}: flow nightly-import (prod)"


def test_a_subject_is_one_line_of_at_most_100_characters() -> None:
    """Whatever a flow is called, and whatever the caller asks for."""
    report = replace(failure(), name="x\r\nBcc: eve@example.org " + "y" * 200)
    for subject in (report.subject, report.format_subject("[prod] $name $run $deployment")):
        assert len(subject) == 100
        assert "\n" not in subject


def test_names_show_no_secret() -> None:
    """Run names are templates of parameters, so they may hold what must not be seen."""
    secret = f"db://user:{_PASSWORD}@host"
    report = RunReport(
        kind="flow",
        name=secret,
        run_name=secret,
        state=secret,
        state_type="FAILED",
        deployment=secret,
        failed_in=secret,
    )
    mail = render("ann@example.org", **report.mail)
    assert _PASSWORD not in mail.eml.decode() + mail.text + mail.html


def test_a_report_of_little_is_short() -> None:
    """What is unknown leaves no empty heading, table or button."""
    report = RunReport(
        kind="task", name="load", run_name="load-1", state="Failed", state_type="FAILED"
    )
    text = render("ann@example.org", **report.mail).text
    assert text.split("-- ")[0].split() == [
        "[Failed]",
        "load",
        "failed",
        "===========",
        "Run",
        "load-1",
    ]
