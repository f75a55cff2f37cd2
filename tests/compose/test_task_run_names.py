"""Task runs that are named by their mail."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_smtp_relay.compose.task_run_names import name_of_many, name_of_one
from prefect_smtp_relay.mail.mailbox import Mailbox

CONTEXT = {"options": {"context": {"number": 42, "people": ["a@x.org", "b@y.org"]}}}


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"subject": "Disk full", "to": "Ann <ann@acme.example>"}, "Disk full to acme.example"),
        ({"subject": "A", "to": ["a@x.org", Mailbox("b", "y.org")]}, "A to x.org and 1 more"),
        ({"subject": "{{ number }}", "to": "{{ people }}", **CONTEXT}, "42 to x.org and 1 more"),
        ({"subject": "db://u:s3cret@h", "to": "a@x.org"}, "db://u:********@h to x.org"),
        ({"subject": "a\r\nb\x1b\ud800c", "to": "a@x.org"}, "a b c to x.org"),
        ({"subject": "x" * 500, "to": "a@x.org"}, f"{'x' * 90}\u2026 to x.org"),
        ({"subject": "Blind", "to": None, "options": {"bcc": "a@x.org"}}, "Blind"),
    ],
)  # fmt: skip
def test_a_mail_is_named_by_subject_and_domain(parameters: dict[str, Any], name: str) -> None:
    """Templates are filled in, secrets masked, and no name has more than 100 characters."""
    assert name_of_one(parameters) == name
    assert (
        name_of_many({"mails": [parameters | parameters.get("options", {})] * 3})
        == (f"3 mails, first: {name}"[:100])
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"subject": "S", "to": "nobody"},
        {"subject": "{{ x }}", "to": "a@x.org", "options": {"context": {}}},
        {"subject": "S", "to": 5, "options": None},
        {"mails": []},
        {"mails": [5]},
        {"mails": None},
    ],
)
def test_no_name_stops_a_mail(parameters: dict[str, Any]) -> None:
    """What is wrong with a mail is told by the task, not by its name."""
    assert name_of_one(parameters) == "Send an email"
    assert name_of_many(parameters) == "Send many emails"
