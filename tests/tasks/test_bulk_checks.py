"""A mail that is wrong as it stands keeps all of them from being submitted."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.events.worker import EventsWorker

from prefect_smtp_relay import asend_emails, send_emails
from prefect_smtp_relay.exceptions import (
    AttachmentError,
    InvalidHeader,
    InvalidMailbox,
    MessageError,
    NoRecipients,
)
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.events import told
from tests.tasks.bulk_mails import connect, mails_to

ALL_RIGHT = {"to": "ann@example.org", "subject": "s", "body": "b"}


def without(name: str) -> dict[str, Any]:
    """A mail that lacks one argument."""
    return {key: value for key, value in ALL_RIGHT.items() if key != name}


@pytest.mark.parametrize(
    ("wrong", "kind", "said"),
    [
        ({**ALL_RIGHT, "to": "nobody"}, InvalidMailbox, "to: "),
        ({**ALL_RIGHT, "cc": "nobody"}, InvalidMailbox, "cc: "),
        ({**ALL_RIGHT, "to": ""}, NoRecipients, "to, cc or bcc"),
        ({**ALL_RIGHT, "subject": "a\r\nBcc: x"}, InvalidHeader, "subject: "),
        ({**ALL_RIGHT, "attachments": ["no.pdf"]}, AttachmentError, "attachments: "),
        ({**ALL_RIGHT, "body": None}, MessageError, "body: "),
        (
            {**ALL_RIGHT, "subjet": "s"},
            MessageError,
            "Did you mean 'subject'?",
        ),
        ({**ALL_RIGHT, "from": "a@b.org"}, MessageError, "Did you mean 'from_'"),
        (
            {**ALL_RIGHT, "xyz": 1},
            MessageError,
            "no argument 'xyz'. Use any of to, subject, body, context, from_",
        ),
        ({5: 1}, MessageError, "no argument 5. Use any of to, "),
        ({**ALL_RIGHT, "relay": "outbox"}, MessageError, "Give relay= to send_emails"),
        ({**ALL_RIGHT, "artifact": True}, MessageError, "Use send_an_email for a mail with"),
        (without("to"), MessageError, "to is missing"),
        (without("subject"), MessageError, "subject is missing"),
        (without("body"), MessageError, "body: is empty"),
        ("ann@example.org", MessageError, "expected a mapping of arguments, got str"),
        (None, MessageError, "expected a mapping of arguments, got NoneType"),
        (("ann@example.org", "s", "b"), MessageError, "expected a mapping of arguments, got tuple"),
    ],
    ids=str,
)
def test_a_wrong_mail_is_named_before_anything_is_submitted(
    mail_server: MailServer, wrong: Any, kind: type[MessageError], said: str, outbox_path: Path
) -> None:
    """The error has the class that the one mail has, and begins with the mail's place."""
    relay = connect(mail_server)
    with pytest.raises(kind) as caught:
        send_emails.fn([*mails_to(2), wrong, *mails_to(1)], relay=relay)
    assert str(caught.value).startswith("mails[2]: ")
    assert said in str(caught.value)
    assert type(caught.value) is kind
    assert mail_server.connections == 0
    assert not outbox_path.exists()


@pytest.mark.parametrize(
    "mails",
    ["ann@example.org", b"x", None, 5, ALL_RIGHT, iter([ALL_RIGHT]), {1}],
    ids=lambda mails: type(mails).__name__,
)
def test_what_is_no_list_of_mails_is_an_error_that_shows_one(mails: Any) -> None:
    """A text, one mail alone, or something that can be read only once is refused."""
    with pytest.raises(MessageError, match=r"mails: expected a list of mappings. Write mails=\["):
        send_emails.fn(mails)


@pytest.mark.parametrize("connections", [0, -1, 11, "2", 2.5, None])
def test_a_number_of_connections_that_is_none_is_an_error(connections: Any) -> None:
    """Only 1 to 10 is understood; the text says so."""
    with pytest.raises(MessageError, match="connections: expected a whole number from 1 to 10"):
        send_emails.fn(mails_to(1), relay="outbox", connections=connections)


def test_a_wrong_mail_is_not_tried_again_and_told_once(events_worker: EventsWorker) -> None:
    """As with one mail, the one try ends with one event, which has no Message-ID."""
    action = send_emails.with_options(retries=2, retry_delay_seconds=0)
    runs: list[int] = []

    @flow
    def notify() -> None:
        def note(_: object, run: Any, __: object) -> None:
            runs.append(run.run_count)

        action.with_options(on_failure=[note])([*mails_to(1), {**ALL_RIGHT, "to": "nobody"}])

    with pytest.raises(InvalidMailbox):
        notify()
    (event,) = told(events_worker)
    assert event.payload["error"] == "InvalidMailbox"
    assert runs == [1]


def test_the_async_task_checks_the_same() -> None:
    """The twin raises what the sync task raises."""
    with pytest.raises(MessageError, match=r"mails\[0\]: to is missing"):
        asyncio.run(asend_emails.fn([without("to")]))
