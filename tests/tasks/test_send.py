"""The main job: a flow sends, the connected relay takes it, the caller has a receipt."""

from __future__ import annotations

import inspect
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prefect import Task, flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL, temporary_settings

from prefect_smtp_relay import SMTP, Receipt, asend_an_email, send_an_email
from prefect_smtp_relay.compose.run_origin import run_origin
from prefect_smtp_relay.delivery.resubmit import resubmit
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    DeliveryRefused,
    EmailError,
    InvalidHeader,
    NoSender,
    UnknownRelay,
)
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer


def connect(server: MailServer, name: str = "main", **fields: object) -> SMTP:
    """Connect a mail server as an SMTP block."""
    values = {"from_address": "ops@example.org", "ssl": False, **fields}
    block = SMTP(address=server.host, port=server.port, **values)
    block.save(name, overwrite=True)
    return block


@flow
def notify(to: str = "ann@example.org", relay: str | None = None) -> Receipt:
    """A flow that knows nothing of relays."""
    return send_an_email(to, "Disk full", "The disk of **db-1** is full.", relay=relay)


@flow
async def anotify(to: str = "ann@example.org") -> Receipt:
    """The same as an async flow."""
    return await asend_an_email(to, "Disk full", "The disk of **db-1** is full.")


def test_a_flow_sends_through_the_connected_relay(mail_server: MailServer) -> None:
    """The mail arrives with both renderings, and the receipt names relay and transport."""
    connect(mail_server)
    receipt = notify("Ann <ann@example.org>, bob@example.org")
    (mail,) = mail_server.mails
    assert mail.forward_paths == ("ann@example.org", "bob@example.org")
    assert mail.message["From"] == "ops@example.org"
    assert mail.message["Message-ID"] == receipt.message_id
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in mail.message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    html = mail.message.get_body(("html",))
    assert html is not None
    assert "<strong>db-1</strong>" in html.get_content()
    assert receipt.relay == "smtp/main"
    assert receipt.transport == f"smtp://127.0.0.1:{mail_server.port}"
    assert receipt.outcome == "accepted"
    assert receipt.accepted == ("ann@example.org", "bob@example.org")
    assert receipt.response == "250 2.0.0 queued as 1"
    assert pickle.loads(pickle.dumps(receipt)) == receipt  # noqa: S301  # our own octets
    assert Receipt.model_validate_json(receipt.model_dump_json()) == receipt


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_the_block_s_defaults_work_with_either_kind_of_tls(
    security: str, certificates: Certificates
) -> None:
    """A block with only address, port, username and password reaches both kinds of server."""
    with MailServer(
        security=security,  # type: ignore[arg-type]  # both parameters are of the literal type
        tls_context=certificates.server_context,
        users={"u": "p"},
    ) as server:
        block = SMTP(address=server.host, port=server.port, username="u", password="p")
        block.save("main")
        receipt = send_an_email.fn("ann@example.org", "s", "b", from_="ops@example.org")
        assert receipt.relay == "smtp/main"
        assert server.mails[0].encrypted
        assert server.mails[0].mechanism == "PLAIN"


async def run_async_flow() -> Receipt:
    """Run the async flow."""
    return await anotify()


def test_an_async_flow_sends_too(mail_server: MailServer) -> None:
    """The async task is awaited in an async flow."""
    import asyncio

    connect(mail_server)
    assert asyncio.run(run_async_flow()).relay == "smtp/main"
    assert len(mail_server.mails) == 1


@pytest.mark.parametrize("action", [send_an_email, asend_an_email])
def test_both_actions_are_real_tasks(action: Task[..., object]) -> None:
    """Both are Prefect tasks of that name, with one signature."""
    assert isinstance(action, Task)
    assert action.name == "Send an email"
    parameters = inspect.signature(action.fn).parameters
    assert list(parameters)[:3] == ["to", "subject", "body"]
    assert parameters["relay"].kind is inspect.Parameter.KEYWORD_ONLY
    assert action.with_options(retries=0).retries == 0
    assert callable(action.delay)


def test_the_two_tasks_have_keys_of_their_own() -> None:
    """A task worker can tell the sync from the async task."""
    assert send_an_email.task_key != asend_an_email.task_key


def test_submit_and_map_work_in_a_sync_flow(mail_server: MailServer) -> None:
    """Futures of submitted and mapped mails resolve to receipts."""
    connect(mail_server)

    @flow
    def fan_out() -> list[Receipt]:
        one = send_an_email.submit("ann@example.org", "s", "b")
        more = send_an_email.map(["bob@example.org", "cat@example.org"], subject="s", body="b")
        return [one.result(), *more.result()]

    assert [r.accepted for r in fan_out()] == [
        ("ann@example.org",),
        ("bob@example.org",),
        ("cat@example.org",),
    ]
    assert len(mail_server.mails) == 3


def test_a_second_identical_mail_goes_too(mail_server: MailServer) -> None:
    """Mails are never taken from a cache, even where results are persisted."""
    connect(mail_server)

    @flow(persist_result=True)
    def twice() -> list[Receipt]:
        action = send_an_email.with_options(persist_result=True)
        return [action("ann@example.org", "s", "b") for _ in range(2)]

    first, second = twice()
    assert len(mail_server.mails) == 2
    assert first.message_id != second.message_id


def test_a_named_relay_overrides_the_choice(mail_server: MailServer) -> None:
    """relay="smtp/NAME" sends through that document."""
    connect(mail_server, "main", priority=9, from_address="main@example.org")
    connect(mail_server, "eu-relay", from_address="eu@example.org")
    receipt = notify(relay="smtp/eu-relay")
    assert receipt.relay == "smtp/eu-relay"
    assert mail_server.mails[0].reverse_path == "eu@example.org"


def test_a_block_object_needs_no_api(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a block as relay nobody is asked which ones are connected."""
    monkeypatch.setattr(
        "prefect_smtp_relay.runtime.catalog._ask", lambda query: pytest.fail(str(query))
    )
    block = SMTP(
        address=mail_server.host, port=mail_server.port, ssl=False, from_address="ops@example.org"
    )
    assert send_an_email.fn("ann@example.org", "s", "b", relay=block).relay == "smtp"
    assert len(mail_server.mails) == 1


def test_another_object_is_no_relay() -> None:
    """Something that is neither a name nor a relay block is refused with the fix."""
    with pytest.raises(UnknownRelay, match="Pass an SMTP or a SendGrid block"):
        send_an_email.fn("ann@example.org", "s", "b", relay=42)  # type: ignore[arg-type]  # the mistake under test


def test_disconnecting_stores_the_next_mail(
    mail_server: MailServer,
    client: SyncPrefectClient,
    outbox_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The same flow falls back to the outbox, with a warning that names the file and the fix."""
    connect(mail_server)
    assert notify().outcome == "accepted"
    client.delete_block_document(client.read_block_document_by_name("main", "smtp").id)
    receipt = notify()
    (stored,) = outbox_path.glob("*.eml")
    assert (receipt.outcome, receipt.relay) == ("stored", "outbox")
    assert stored.stat().st_mode & 0o777 == 0o600
    assert str(stored) in caplog.text
    assert "Save an SMTP or a SendGrid block" in caplog.text
    assert len(mail_server.mails) == 1


def test_default_delivery_can_be_refused(
    outbox_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With default_delivery=refuse a mail without a relay is an error, and nothing is stored."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_DEFAULT_DELIVERY", "refuse")
    with pytest.raises(DeliveryRefused, match="DEFAULT_DELIVERY=store"):
        send_an_email.fn("ann@example.org", "s", "b")
    assert not outbox_path.exists()


def test_nobody_to_send_as_is_an_error_that_lists_the_places(mail_server: MailServer) -> None:
    """Without any From the error names the argument, the field and the setting."""
    connect(mail_server, from_address="")
    with pytest.raises(NoSender) as caught:
        send_an_email.fn("ann@example.org", "s", "b")
    for place in ("from_=", "*From address* (`from_address`)", "SMTP_RELAY_DEFAULT_FROM"):
        assert place in str(caught.value)


@pytest.mark.parametrize(
    ("requested", "in_block", "setting", "expected"),
    [
        ("act@a.org", "block@a.org", "default@a.org", "act@a.org"),
        (None, "block@a.org", "default@a.org", "block@a.org"),
        (None, "", "default@a.org", "default@a.org"),
        (None, "", "", "user@a.org"),
    ],
)
def test_from_is_settled_in_order(
    mail_server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    requested: str | None,
    in_block: str,
    setting: str,
    expected: str,
) -> None:
    """The action's From goes before the block's, the setting's and the username."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_DEFAULT_FROM", setting)
    mail_server.users = {"user@a.org": "p"}
    connect(mail_server, from_address=in_block, username="user@a.org", password="p")
    send_an_email.fn("ann@example.org", "s", "b", from_=requested)
    assert mail_server.mails[0].message["From"] == expected


def test_what_fails_for_good_is_kept_with_the_reason(
    mail_server: MailServer, outbox_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A permanent failure leaves the mail in the outbox, and says how to submit it again."""
    mail_server.users = {"u": "right"}
    connect(mail_server, username="u", password="wrong")
    with pytest.raises(AuthenticationFailed):
        notify()
    (record,) = outbox_path.glob("*.json")
    assert "535" in record.read_text()
    assert "wrong" not in record.read_text()
    assert "prefect-smtp-relay outbox flush" in caplog.text


def test_what_the_caller_got_wrong_is_not_kept(outbox_path: Path) -> None:
    """A message that cannot be composed is refused before the API is asked."""
    with pytest.raises(InvalidHeader, match="subject"):
        send_an_email.fn("ann@example.org", "a\r\nBcc: eve@example.org", "b")
    assert not outbox_path.exists()


def test_refused_recipients_are_in_the_receipt_and_the_log(
    mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The rest gets the mail; the refused ones are named with the relay's words."""
    connect(mail_server)
    mail_server.refused["bob@example.org"] = "550 5.1.1 no such user"
    receipt = send_an_email.fn("ann@example.org, bob@example.org", "s", "b", bcc="eve@example.org")
    assert receipt.accepted == ("ann@example.org",)
    assert receipt.bcc_accepted == 1
    assert str(receipt.refused["bob@example.org"]) == "550 5.1.1 no such user"
    assert "bob@example.org: 550 5.1.1 no such user" in caplog.text
    assert "eve@example.org" not in caplog.text + receipt.model_dump_json()


@pytest.mark.parametrize(
    "arguments",
    [
        {"body": None},
        {"body": 5},
        {"html": b"x"},
        {"headers": 5},
        {"headers": [("X-A", "b")]},
        {"attachments": 5},
        {"attachments": [(5, b"x")]},
        {"attachments": [("n", "x")]},
        {"attachments": (a for a in ["x"])},
        {"inline_images": 5},
        {"inline_images": {5: b"x"}},
        {"to": 5},
        {"to": b"ann@example.org"},
        {"to": {"ann@example.org": "Ann"}},
        {"to": (a for a in ["ann@example.org"])},
        {"subject": None},
        {"relay": SMTP},
    ],
    ids=lambda arguments: "-".join(f"{k}-{type(v).__name__}" for k, v in arguments.items()),
)
def test_an_argument_of_a_wrong_type_is_an_error_of_ours(arguments: dict[str, Any]) -> None:
    """Whatever a caller mistakes, the error is an EmailError that names the argument."""
    values = {"to": "ann@example.org", "subject": "s", "body": "b", **arguments}
    with pytest.raises(EmailError, match=next(iter(arguments))):
        send_an_email.fn(**values)


def test_a_flush_settles_the_sender_anew_where_the_action_named_none(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch, outbox_path: Path
) -> None:
    """What was stored under the operator's default goes out under the relay's own sender."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_PROTECTED_DOMAINS", "corp.example")
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_DEFAULT_FROM", "ops@corp.example")
    assert send_an_email.fn("ann@example.org", "s", "b").outcome == "stored"
    connect(mail_server, from_address="relay@example.org")
    settings = current_settings()
    report = open_outbox(settings).flush(partial(resubmit, settings=settings))
    assert (len(report.accepted), report.remaining) == (1, 0)
    assert mail_server.mails[0].reverse_path == "relay@example.org"
    assert not list(outbox_path.glob("*.eml"))


def test_a_flush_checks_every_field_again(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A domain that is protected by now is refused in whichever field the stored mail names it."""
    send_an_email.fn("ann@example.org", "s", "b", headers={"X-Sender": "ceo@corp.example"})
    connect(mail_server, from_address="relay@example.org")
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_PROTECTED_DOMAINS", "corp.example")
    settings = current_settings()
    report = open_outbox(settings).flush(partial(resubmit, settings=settings))
    assert "protected domain corp.example" in report.failed[0][1]
    assert (report.remaining, mail_server.mails) == (1, [])


@pytest.mark.parametrize(
    ("block", "argument", "expected"),
    [
        ("", None, "relay@example.org"),
        ("bounces@example.org", None, "bounces@example.org"),
        ("bounces@example.org", "Ann <ann@example.org>", "ann@example.org"),
    ],
)
def test_reports_go_to_the_reverse_path(
    mail_server: MailServer, block: str, argument: str | None, expected: str
) -> None:
    """The argument goes before the block's field, which goes before the sender."""
    relay = connect(mail_server, from_address="relay@example.org", reverse_path=block)
    send_an_email.fn("bob@example.org", "s", "b", relay=relay, reverse_path=argument)
    assert mail_server.mails[0].reverse_path == expected
    assert mail_server.mails[0].message["From"] == "relay@example.org"


def test_a_mail_can_show_its_thread_logo_and_run(mail_server: MailServer) -> None:
    """Thread, logo and footer come with the arguments of their names."""
    relay = connect(mail_server)

    @flow(name="nightly")
    def report() -> Receipt:
        return send_an_email(
            "ann@example.org",
            "s",
            "Body",
            relay=relay,
            thread="INC-42",
            include_footer=True,
            custom_logo_url="https://example.org/logo.png",
        )

    report()
    mail = mail_server.mails[0].message
    text, html = (part.get_content() for part in mail.iter_parts())
    assert mail["References"] == mail["In-Reply-To"]
    assert "because the flow nightly (run" in " ".join(text.split())
    assert mail["X-Prefect-Flow"] == "nightly"
    assert mail["List-Id"] == "<nightly.prefect.localhost>"
    assert "https://example.org/logo.png" in html


def test_the_footer_links_to_the_run_where_the_ui_is_known() -> None:
    """The link leads to the run's page below PREFECT_UI_URL; without one there is no link."""
    process_memory.reset()

    @flow(name="nightly", flow_run_name="n")
    def report() -> tuple[str, str]:
        with temporary_settings({PREFECT_UI_URL: "https://prefect.example"}):
            linked = run_origin().who
        process_memory.reset()
        with temporary_settings({PREFECT_UI_URL: None, PREFECT_API_URL: None}):
            return linked, run_origin().who

    linked, plain = report()
    assert linked.startswith(
        "the flow **nightly** (run [n](<https://prefect.example/runs/flow-run/"
    )
    assert plain == "the flow **nightly** (run n)"


async def _load() -> SMTP:
    return SMTP(address="mx.example.org")


def test_a_block_that_was_not_awaited_is_told_as_such() -> None:
    """In an async flow, SMTP.load gives a coroutine; nothing warns that it was never awaited."""
    with pytest.raises(UnknownRelay, match=r"^relay: is a coroutine\. Await it: relay=await SMTP"):
        send_an_email.fn("ann@example.org", "s", "b", relay=_load())  # type: ignore[arg-type]  # the mistake under test
