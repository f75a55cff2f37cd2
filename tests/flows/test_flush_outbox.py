"""The flow that flushes the outbox, as a deployment runs it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State

from prefect_smtp_relay import SMTP, send_an_email
from prefect_smtp_relay.flows.flush_outbox import flush_outbox
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.flows.artifacts import artifacts_of


@pytest.fixture
def connect(mail_server: MailServer) -> Callable[[], object]:
    """Connect the mail server."""
    block = SMTP(
        address=mail_server.host, port=mail_server.port, ssl=False, from_address="ops@example.org"
    )
    return lambda: block.save("mx")


def _store(*subjects: str) -> None:
    for subject in subjects:
        send_an_email.fn("ann@example.org", subject, "body", relay="outbox")


def _run(**parameters: bool) -> State[Any]:
    return flush_outbox(**parameters, return_state=True)


def test_what_waits_is_submitted_and_listed_in_an_artifact(
    connect: Callable[[], object], mail_server: MailServer, client: SyncPrefectClient
) -> None:
    """The run's state says how many, and the table which."""
    _store("one", "two")
    connect()
    state = _run()
    assert (state.name, state.message) == ("Completed", "2 accepted, 0 left in the outbox.")
    assert [mail.message["Subject"] for mail in mail_server.mails] == ["one", "two"]
    [artifact] = artifacts_of(client, state.state_details.flow_run_id)
    rows = json.loads(artifact["data"])
    assert [(row["mail"], row["outcome"]) for row in rows] == [
        (mail.message["Message-ID"], "accepted") for mail in mail_server.mails
    ]
    assert _run().message == "0 accepted, 0 left in the outbox."


def test_the_same_mail_is_submitted_once_where_that_is_wanted(
    connect: Callable[[], object], mail_server: MailServer
) -> None:
    """A person without a terminal ticks it after a wrong first set-up was put right."""
    _store("one", "two", "one", "one")
    connect()
    state = _run(newest_copy=True)
    assert state.message == "2 accepted, 0 left in the outbox."
    assert [mail.message["Subject"] for mail in mail_server.mails] == ["two", "one"]


def test_a_run_in_which_something_failed_is_failed(
    connect: Callable[[], object], mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the reason, and the mail stays."""
    _store("one")
    connect()
    mail_server.refused["DATA"] = "554 5.7.1 policy"
    with caplog.at_level(logging.ERROR):
        state = _run()
    assert (state.name, state.message) == (
        "Failed",
        "1 failed, 0 accepted, 1 left in the outbox.",
    )
    assert "554 5.7.1 policy" in caplog.text


def test_without_a_relay_the_mail_waits(mail_server: MailServer) -> None:
    """That is not a failure: the outbox is there for it."""
    _store("one")
    state = _run()
    assert state.name == "Completed"
    assert str(state.message).startswith("No relay is connected: 1 left in the outbox.")
    assert mail_server.mails == []


def test_what_failed_is_tried_at_growing_intervals(
    connect: Callable[[], object], mail_server: MailServer, outbox_path: Path
) -> None:
    """A mail that had waited for an hour when it failed is due in an hour, or when all are."""
    _store("one")
    connect()
    mail_server.refused["DATA"] = "451 later"
    [text], [record] = outbox_path.glob("*.eml"), outbox_path.glob("*.json")
    for file in (text, record):
        _age(file, 3600)
    assert _run().name == "Failed"
    del mail_server.refused["DATA"]
    state = _run()
    assert (state.name, state.message) == ("Completed", "0 accepted, 1 left in the outbox.")
    assert _run(only_due=False).message == "1 accepted, 0 left in the outbox."
    assert not record.exists()


def test_what_has_waited_as_long_again_is_due(
    connect: Callable[[], object], outbox_path: Path
) -> None:
    """An hour after the failure of the mail that had waited for an hour."""
    _store("one")
    connect()
    [text], [record] = outbox_path.glob("*.eml"), outbox_path.glob("*.json")
    _age(text, 7210)
    _age(record, 3605)
    assert _run().message == "1 accepted, 0 left in the outbox."


def _age(path: Path, seconds: float) -> None:
    then = path.stat().st_ctime - seconds
    os.utime(path, (then, then))
