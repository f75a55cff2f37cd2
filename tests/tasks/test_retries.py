"""What is tried again, and what stays the same over the tries."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from prefect import flow, task

from prefect_smtp_relay import SMTP, Receipt, send_an_email
from prefect_smtp_relay.exceptions import (
    EmailError,
    InternalError,
    PermanentFailure,
    TransientFailure,
    UnknownRelay,
)
from prefect_smtp_relay.testing.mail_server import MailServer


@pytest.fixture
def relay(mail_server: MailServer) -> SMTP:
    """A block for the running server."""
    return SMTP(
        address=mail_server.host, port=mail_server.port, ssl=False, from_address="ops@example.org"
    )


def send_with(relay: SMTP, retries: int = 3) -> Receipt:
    """Send from a flow, with no pause between the tries."""
    action = send_an_email.with_options(retries=retries, retry_delay_seconds=0)

    @flow
    def notify() -> Receipt:
        return action("ann@example.org", "s", "b", relay=relay)

    return notify()


def test_the_default_retries_grow_with_jitter() -> None:
    """Five retries, each pause twice the one before, none at the same moment as others."""
    assert send_an_email.retries == 5
    assert send_an_email.retry_delay_seconds == [10, 20, 40, 80, 160]
    assert send_an_email.retry_jitter_factor


def test_a_transient_refusal_is_tried_again_with_one_message_id(
    mail_server: MailServer, relay: SMTP
) -> None:
    """After two 451 replies the third try arrives, with the Message-ID of the first."""
    replies = iter(["451 4.3.0 later", "451 4.3.0 later"])
    seen: list[str] = []

    def reply(mail_id: str) -> str | None:
        seen.append(mail_id)
        return next(replies, None)

    mail_server.data_reply = reply
    receipt = send_with(relay)
    assert seen == [receipt.message_id] * 3
    assert len(mail_server.mails) == 1


def test_a_permanent_refusal_is_not_tried_again(mail_server: MailServer, relay: SMTP) -> None:
    """A 554 reply ends the task at the first try."""
    mail_server.refused["DATA"] = "554 5.6.0 no"
    with pytest.raises(PermanentFailure):
        send_with(relay)
    assert mail_server.offered == 1


def test_after_the_last_retry_the_mail_is_kept_once(
    mail_server: MailServer, relay: SMTP, outbox_path: Path
) -> None:
    """Only the last of the failed tries stores the mail in the outbox."""
    mail_server.refused["DATA"] = "451 4.3.0 later"
    with pytest.raises(TransientFailure):
        send_with(relay, retries=2)
    assert mail_server.offered == 3
    assert len(list(outbox_path.glob("*.eml"))) == 1


def test_an_error_of_the_program_is_not_tried_again(
    relay: SMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw fails at once: trying again would not help."""
    calls: list[object] = []

    def broken(*args: object) -> None:
        calls.append(args)
        raise ZeroDivisionError

    monkeypatch.setattr("prefect_smtp_relay.delivery.routing.resolve_sender", broken)
    with pytest.raises(InternalError) as caught:
        send_with(relay)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert len(calls) == 1


def test_two_mails_within_another_task_have_two_message_ids(relay: SMTP) -> None:
    """Called by .fn in somebody's task, each mail is a mail of its own."""

    @task
    def report() -> list[Receipt]:
        return [send_an_email.fn("ann@example.org", "s", "b", relay=relay) for _ in range(2)]

    @flow
    def run() -> list[Receipt]:
        return report()

    first, second = run()
    assert first.message_id != second.message_id


def test_every_error_says_whether_to_try_again() -> None:
    """The base class answers no, so that an unknown error is not repeated."""
    assert not EmailError("x").transient


def test_a_retry_reads_an_open_file_again(mail_server: MailServer, relay: SMTP) -> None:
    """The second try carries the octets of the first, not an empty file."""
    replies = iter(["451 4.3.0 later"])
    mail_server.data_reply = lambda _: next(replies, None)
    file = io.BytesIO(b"skipped,graph")
    file.seek(len(b"skipped,"))
    action = send_an_email.with_options(retries=1, retry_delay_seconds=0)

    @flow
    def notify() -> Receipt:
        return action("ann@example.org", "s", "b", relay=relay, attachments={"a.csv": file})

    notify()
    (attachment,) = mail_server.mails[0].message.iter_attachments()
    assert attachment.get_content().strip() == "graph"


def test_a_mail_that_met_no_relay_is_kept_under_one_message_id(outbox_path: Path) -> None:
    """The error names the mail that the outbox holds, also where nothing else names it."""
    with pytest.raises(UnknownRelay) as caught:
        send_an_email.fn("ann@example.org", "s", "b", relay="smtp/nowhere")
    (stored,) = outbox_path.glob("*.json")
    assert str(stored.with_suffix(".eml")) == caught.value.kept
    assert caught.value.message_id in stored.read_text()


def test_the_date_stays_over_the_tries(mail_server: MailServer, relay: SMTP) -> None:
    """A mail is dated by its first try."""
    replies = iter(["451 4.3.0 later"])
    mail_server.data_reply = lambda _: next(replies, None)
    action = send_an_email.with_options(retries=1, retry_delay_seconds=2, retry_jitter_factor=0)

    @flow
    def notify() -> Receipt:
        return action("ann@example.org", "s", "b", relay=relay)

    receipt = notify()
    dated = mail_server.mails[0].message["Date"].datetime
    assert (receipt.submitted_at - dated).total_seconds() >= 2
