"""Where a mail comes from: in its footer, and in header fields."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.compose.origin import Origin
from prefect_smtp_relay.settings import SmtpRelaySettings

NIGHTLY = Origin("the flow **nightly**", "Nightly import", "prod/eu", "Failed")
WHY = "You get this mail because the flow nightly names you as a recipient. "


def written(origin: Origin, **options: Any) -> tuple[str, dict[str, str]]:
    """The footer in one line, and the header fields of a mail."""
    mail = {"to": "ann@example.org", "subject": "S", "body": "B", **options}
    composed = draft(mail, SmtpRelaySettings(), origin)
    footer = composed.text.partition("-- \n")[2]
    return " ".join(footer.split()), dict(composed.headers)


@pytest.mark.parametrize(
    ("options", "how"),
    [
        ({}, "To get no more such mails, ask those who run it to remove you."),
        ({"reply_to": "Desk <d_k@x.org>"}, "To get no more such mails, reply to d_k@x.org."),
        (
            {"list_unsubscribe": ["u@x.org", "https://x.org/u?a=1"], "reply_to": "d@x.org"},
            "To get no more such mails, unsubscribe (https://x.org/u?a=1).",
        ),
        ({"list_unsubscribe": "u@x.org"}, "To get no more such mails, unsubscribe (u@x.org)."),
    ],
)
def test_the_footer_says_why_and_how_it_stops(options: Any, how: str) -> None:
    """It names who named the recipients, and what the caller gave for stopping it."""
    assert written(NIGHTLY, **options)[0] == WHY + how


def test_readers_can_filter_by_what_the_mail_is_about() -> None:
    """Flow, deployment and state are fields of their own, and the list is one per deployment."""
    assert (
        written(NIGHTLY)[1].items()
        >= {
            "X-Prefect-Flow": "Nightly import",
            "X-Prefect-Deployment": "prod/eu",
            "X-Prefect-State": "Failed",
            "List-Id": "<prod-eu.nightly-import.prefect.localhost>",
        }.items()
    )


@pytest.mark.parametrize(
    ("flow", "shown", "label"),
    [
        ("a\r\nBcc: eve@example.org", "a Bcc: eve@example.org", "a-bcc-eve-example-org"),
        ("St\u00f6rung", "St\u00f6rung", "strung-xxa"),
        ("\ud800", "", "ib9b"),
        ("...", "...", "x"),
        ("n" * 300, "n" * 200, "n" * 60),
    ],
)
def test_no_name_of_a_flow_breaks_a_header(flow: str, shown: str, label: str) -> None:
    """Line ends are spaces; a List-Id has only what RFC 2919 permits."""
    headers = written(Origin(flow=flow))[1]
    assert headers.get("X-Prefect-Flow", "") == shown
    assert headers["List-Id"] == f"<{label}.prefect.localhost>"


def test_what_the_caller_writes_wins() -> None:
    """A field of ours is left out where the caller has it, or wants none."""
    headers = written(NIGHTLY, headers={"list-id": "<mine.example.org>", "X-Prefect-State": None})[
        1
    ]
    assert headers["list-id"] == "<mine.example.org>"
    assert {"List-Id", "X-Prefect-State"}.isdisjoint(headers)


def test_outside_of_runs_nothing_is_claimed() -> None:
    """A script's mail has none of the fields, and a footer that names no flow."""
    footer, headers = written(Origin())
    assert footer.startswith("You get this mail from Prefect because you are named as a recipient.")
    assert not {"List-Id", "X-Prefect-Flow"} & headers.keys()
