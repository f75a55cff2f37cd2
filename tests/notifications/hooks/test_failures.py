"""A mail that fails never changes the run that it tells of."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State

from prefect_smtp_relay import SMTP, email_on_completion, email_on_failure
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.mails import only_mail, text_of

Fail = Callable[..., State[Any]]


def test_a_refusing_relay_does_not_change_the_state(
    connected: MailServer, logged: list[logging.LogRecord], outbox_path: Path, fail_with: Fail
) -> None:
    """The run stays as it was, its log says why there is no mail, and the mail is kept."""
    connected.refused["DATA"] = "554 5.6.0 not today"
    state = fail_with("bad", email_on_failure("ann@example.org"))
    assert state.name == "Failed"
    errors = [record for record in logged if "about this run" in record.getMessage()]
    assert "not today" in errors[0].getMessage()
    assert errors[0].flow_run_name == state_run_name(logged)  # type: ignore[attr-defined]
    assert len(list(outbox_path.glob("*.eml"))) == 1


def state_run_name(records: list[logging.LogRecord]) -> str:
    """The name of the run that logged first."""
    return str(records[0].flow_run_name)  # type: ignore[attr-defined] # Prefect adds it


def test_a_completed_run_stays_completed(connected: MailServer) -> None:
    """A mail that fails does not fail the run that it tells of."""
    connected.refused["ann@example.org"] = "550 5.1.1 no such user"

    @flow(on_completion=[email_on_completion("ann@example.org")])
    def fine() -> int:
        return 1

    state: State[int] = fine(return_state=True)
    assert state.is_completed()


def test_a_transient_refusal_is_tried_again(connected: MailServer, fail_with: Fail) -> None:
    """Two refusals that may pass, then the mail arrives; its Message-ID is the same each time."""
    seen: list[str] = []

    def reply(message_id: str) -> str | None:
        seen.append(message_id)
        return "451 4.3.0 later" if len(seen) < 3 else None

    connected.data_reply = reply
    fail_with("bad", email_on_failure("ann@example.org"))
    only_mail(connected)
    assert len(seen) == 3
    assert len(set(seen)) == 1


def test_without_a_relay_the_mail_is_stored(outbox_path: Path, fail_with: Fail) -> None:
    """Hooks have the same default delivery as the task."""
    assert fail_with("bad", email_on_failure("ann@example.org")).is_failed()
    assert len(list(outbox_path.glob("*.eml"))) == 1


def test_an_error_of_the_program_is_logged(
    connected: MailServer,
    logged: list[logging.LogRecord],
    monkeypatch: pytest.MonkeyPatch,
    fail_with: Fail,
) -> None:
    """Whatever goes wrong in a hook stands in the run's log, with its traceback."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("prefect_smtp_relay.notifications.reading.read_log", broken)
    assert fail_with("bad", email_on_failure("ann@example.org")).name == "Failed"
    [record] = [r for r in logged if "about this run" in r.getMessage()]
    assert record.exc_info
    assert connected.mails == []


def test_a_silent_api_costs_only_parts_of_the_mail(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch, fail_with: Fail
) -> None:
    """With a relay passed as a block, a mail goes out although the API does not answer."""

    def silent(*_: object, **__: object) -> None:
        raise OSError("down")

    monkeypatch.setattr(SyncPrefectClient, "read_logs", silent)
    relay = SMTP(
        address=mail_server.host, port=mail_server.port, ssl=False, from_address="a@example.org"
    )
    fail_with("bad", email_on_failure("ann@example.org", relay=relay))
    assert "bad" in text_of(only_mail(mail_server))
