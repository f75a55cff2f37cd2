"""Many mails in one task: all arrive, over few connections, with the arguments of one mail."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
from prefect import Task, flow, task
from pydantic import SecretStr

from prefect_smtp_relay import (
    Receipt,
    SendGrid,
    asend_emails,
    send_an_email,
    send_emails,
)
from prefect_smtp_relay.compose.options import MailArguments
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.testing.memory import InMemoryTransport
from tests.counted_requests import counting_requests
from tests.tasks.bulk_mails import Mails, connect, mails_to
from tests.transports.sendgrid.api_server import serve

_LOOK_UP = "POST /api/block_documents/filter"


@flow
def tell_all(mails: Mails, connections: int = 2) -> list[Receipt]:
    """A flow that knows nothing of relays."""
    return send_emails(mails, connections=connections)


@flow
async def atell_all(mails: Mails, connections: int = 2) -> list[Receipt]:
    """The same as an async flow."""
    return await asend_emails(mails, connections=connections)


def tell_all_async(mails: Mails, connections: int = 2) -> list[Receipt]:
    """Run the async flow."""
    return asyncio.run(atell_all(mails, connections))


@pytest.mark.parametrize("tell", [tell_all, tell_all_async])
def test_many_mails_take_few_connections_and_one_look_up(
    mail_server: MailServer, tell: Callable[..., list[Receipt]]
) -> None:
    """All arrive once; the receipts stand in the order of the mails, and name the relay."""
    connect(mail_server)
    with counting_requests() as seen:
        receipts = tell(mails_to(40, include_footer=True), connections=3)
    assert [r.accepted for r in receipts] == [(f"user{n}@example.org",) for n in range(40)]
    assert {r.relay for r in receipts} == {"smtp/main"}
    arrived = {m.message["Message-ID"]: m.message["Subject"] for m in mail_server.mails}
    assert [arrived[r.message_id] for r in receipts] == [f"Mail {n}" for n in range(40)]
    assert len(mail_server.mails) == 40
    assert 1 <= mail_server.connections <= 3
    assert seen.count(_LOOK_UP) == 1


def test_many_mails_are_one_task_run(mail_server: MailServer) -> None:
    """Prefect sees one task run, however many mails it has."""
    connect(mail_server)
    runs: list[object] = []

    @flow
    def run() -> None:
        action = send_emails.with_options(on_completion=[lambda _, run, __: runs.append(run)])
        action(mails_to(5))

    run()
    assert (len(runs), len(mail_server.mails)) == (1, 5)


@pytest.mark.usefixtures("result_storage")
def test_every_argument_of_one_mail_is_one_of_each_mail(mail_server: MailServer) -> None:
    """Each mail has its own recipients, parts, headers, thread and frame."""
    relay = connect(mail_server)
    first = {
        "to": "Ann <ann@example.org>",
        "subject": "{{ word }}",
        "context": {"word": "First"},
        "body": "![graph](cid:graph)",
        "from_": "Night shift <night@example.org>",
        "cc": ["cat@example.org"],
        "bcc": "eve@example.org",
        "reply_to": "desk@example.org",
        "reverse_path": "bounces@example.org",
        "attachments": {"a.csv": b"a,b\n"},
        "inline_images": {"graph": ("graph.png", b"\x89PNG\r\n\x1a\n")},
        "headers": {"X-Team": "payments"},
        "categories": "payments, night",
        "tone": "warning",
        "labels": ["SEV1"],
        "thread": "INC-42",
        "starts_thread": False,
        "idempotency_key": "INC-42/declared",
        "list_unsubscribe": "https://example.org/u",
        "importance": "high",
        "preheader": "What it is about",
        "include_header": True,
        "include_footer": True,
        "custom_logo_url": "https://example.org/logo.png",
    }
    second = {"to": "bob@example.org", "subject": "s", "body": "b", "html": "<i>H</i>", "text": "T"}
    assert {*first, *second} == set(MailArguments.__annotations__)

    @flow(name="nightly")
    def run() -> list[Receipt]:
        return send_emails([first, second], relay=relay, connections=1)

    assert [(r.accepted, r.bcc_accepted) for r in run()] == [
        (("ann@example.org", "cat@example.org"), 1),
        (("bob@example.org",), 0),
    ]
    one, two = mail_server.mails
    assert one.message["Subject"] == "First"
    assert one.forward_paths == ("ann@example.org", "cat@example.org", "eve@example.org")
    assert b"eve@" not in one.octets
    shown = {name: one.message[name] for name in ("From", "Cc", "Reply-To", "X-Team")}
    assert list(shown.values()) == [
        "Night shift <night@example.org>",
        "cat@example.org",
        "desk@example.org",
        "payments",
    ]
    assert one.message["References"] == one.message["In-Reply-To"] is not None
    assert [part.get_filename() for part in one.message.iter_attachments()] == ["a.csv"]
    body = one.message.get_body(("html",))
    assert body is not None
    assert "https://example.org/logo.png" in body.get_content()
    assert "What it is about" in body.get_content()
    assert "because the flow <strong>nightly</strong>" in body.get_content()
    assert two.message["From"] == "ops@example.org"
    assert [part.get_content().strip() for part in two.message.iter_parts()] == ["T", "<i>H</i>"]


@pytest.mark.parametrize("tell", [tell_all, tell_all_async])
def test_no_mail_is_no_receipt(tell: Callable[..., list[Receipt]]) -> None:
    """An empty list is no error, and asks nobody for a relay."""
    with counting_requests() as seen:
        assert tell([]) == []
    assert _LOOK_UP not in seen


def test_results_of_other_tasks_may_be_parts_of_mails(mail_server: MailServer) -> None:
    """A future within a mail is waited for, as in the arguments of any task."""
    connect(mail_server)

    @task
    def text_for(name: str) -> str:
        return f"Hello {name}."

    @flow
    def run() -> list[Receipt]:
        mails = [{**mail, "text": text_for.submit(mail["subject"])} for mail in mails_to(3)]
        return send_emails.submit(mails).result()

    assert len(run()) == 3
    assert {"Hello Mail 2." in mail.octets.decode() for mail in mail_server.mails} == {True, False}


@pytest.mark.parametrize("action", [send_emails, asend_emails])
def test_both_actions_are_real_tasks_with_the_retries_of_one_mail(
    action: Task[..., object],
) -> None:
    """Both are Prefect tasks of that name, with one signature."""
    assert isinstance(action, Task)
    assert action.name == "Send many emails"
    assert list(inspect.signature(action.fn).parameters) == ["mails", "relay", "connections"]
    assert action.retry_delay_seconds == send_an_email.retry_delay_seconds
    assert action.retries == send_an_email.retries
    assert send_emails.task_key != asend_emails.task_key


def test_a_plain_call_needs_no_flow(mail_server: MailServer) -> None:
    """Called by .fn there is one try, and each mail is a mail of its own."""
    relay = connect(mail_server)
    first = send_emails.fn(mails_to(3), relay=relay)
    second = asyncio.run(asend_emails.fn(tuple(mails_to(3)), relay=relay))
    assert len({receipt.message_id for receipt in first + second}) == 6
    assert len(mail_server.mails) == 6


def test_plain_calls_within_another_task_are_mails_of_their_own() -> None:
    """Another task's run is not the mails' own: two calls there are six mails."""
    mails = mails_to(3, from_="ops@example.org")

    @task
    def report() -> list[Receipt]:
        calls = [send_emails.fn(mails, relay=InMemoryTransport()) for _ in range(2)]
        return [receipt for receipts in calls for receipt in receipts]

    @flow
    def run() -> list[Receipt]:
        return report()

    assert len({receipt.message_id for receipt in run()}) == 6


def test_without_a_relay_each_mail_is_stored_in_its_file(outbox_path: Path) -> None:
    """Default delivery keeps them all, and no receipt says accepted."""
    receipts = tell_all(mails_to(5))
    assert {(r.outcome, r.relay) for r in receipts} == {("stored", "outbox")}
    files = {f"{path.stem}" for path in outbox_path.glob("*.eml")}
    assert files == {receipt.provider_id for receipt in receipts}
    stored = open_outbox(current_settings()).entries()
    assert {mail.message_id for mail in stored} == {receipt.message_id for receipt in receipts}


def test_sendgrid_takes_many_mails_over_some_connections() -> None:
    """Each mail is a request of its own, with its own Message-ID, over as many connections."""
    with serve() as api:
        SendGrid(
            api_key=SecretStr("SG.test"), api_url=api.url, from_address="ops@example.org"
        ).save("main")
        receipts = tell_all(mails_to(12), connections=3)
    told = {r.payload["subject"]: r.payload["headers"]["Message-ID"] for r in api.requests}
    assert [told[f"Mail {n}"] for n in range(12)] == [r.message_id for r in receipts]
    assert len(api.requests) == 12
    assert {(r.relay, r.outcome) for r in receipts} == {("sendgrid/main", "accepted")}
    assert len({request.port for request in api.requests}) <= 3
