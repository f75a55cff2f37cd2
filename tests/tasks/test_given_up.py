"""What a task gives up is in the spool before the task's state says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.schemas.objects import State

from prefect_smtp_relay import send_an_email, send_emails
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.tasks.bulk_mails import connect, mails_to


@pytest.mark.parametrize("count", [1, 3])
def test_whoever_reacts_to_the_failure_finds_the_mail(
    mail_server: MailServer, outbox_path: Path, count: int
) -> None:
    """A hook of the task runs with its state: by then each mail is stored, and can be read."""
    del outbox_path
    connect(mail_server)
    mail_server.refused["DATA"] = "554 5.7.1 policy"
    seen: list[tuple[str, int]] = []

    def look(_: Any, __: Any, state: State[Any]) -> None:
        outbox = open_outbox(current_settings())
        seen.append((state.name or "", len([outbox.read(mail) for mail in outbox.entries()])))

    @flow
    def notify() -> None:
        if count == 1:
            send_an_email.with_options(on_failure=[look])("ann@example.org", "s", "b")
        else:
            send_emails.with_options(on_failure=[look])(mails_to(count))

    assert notify(return_state=True).is_failed()
    assert seen == [("Failed", count)]
