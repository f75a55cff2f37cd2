"""The public API as users type it; ``make check`` reads this file, and nothing runs it.

Each `assert_type` is what a user's editor shows. Each ``type: ignore`` is a mistake that a type
checker must find: where it no longer does, mypy reports the comment as unused.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, assert_type
from uuid import UUID

from prefect import State, flow, task
from prefect.futures import PrefectFuture, PrefectFutureList
from pydantic import SecretStr

import prefect_smtp_relay
from prefect_smtp_relay import (
    SMTP,
    Attachment,
    Cause,
    Mailbox,
    Preview,
    Receipt,
    Refusal,
    RunReport,
    SendAnEmail,
    SendGrid,
    asend_an_email,
    asend_emails,
    cause_of,
    describe_flow_run,
    email_on_cancellation,
    email_on_completion,
    email_on_crash,
    email_on_failure,
    email_on_recovery,
    escape_markdown,
    format_duration,
    format_time,
    in_batches,
    mask,
    render,
    runs_url,
    send_an_email,
    send_emails,
)
from prefect_smtp_relay.exceptions import (
    DeliveryError,
    EmailError,
    MailsNotAccepted,
    RecipientsRefused,
)
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer, ReceivedMail
from prefect_smtp_relay.testing.memory import Delivery, InMemoryTransport

assert_type(prefect_smtp_relay.__version__, str)


@flow
def one_mail() -> None:
    """Every way to send one mail from sync code."""
    assert_type(send_an_email("ann@example.org", "Disk full", "**db-1** is full."), Receipt)
    assert_type(send_an_email(["ann@example.org"], "Disk full", text="db-1 is full."), Receipt)
    submitted = send_an_email.submit("ann@example.org", "Disk full", "It is.", tone="critical")
    assert_type(submitted, PrefectFuture[Receipt])
    assert_type(submitted.result(), Receipt)
    with_state = send_an_email("ann@example.org", "Disk full", "It is.", return_state=True)
    assert_type(with_state, State[Receipt])
    mapped = send_an_email.map(["ann@example.org", "bob@example.org"], "Disk full", "It is.")
    assert_type(mapped, PrefectFutureList[Receipt])
    assert_type(mapped.result(), list[Receipt])
    assert_type(send_an_email.with_options(retries=0)("ann@example.org", "Disk full", "."), Receipt)
    send_an_email.delay("ann@example.org", "Disk full", "It is.")


def every_option(smtp: SMTP, sendgrid: SendGrid, transport: InMemoryTransport) -> None:
    """Each argument in each of the forms that it takes."""
    ann = Mailbox.parse("Ann <ann@example.org>")
    send_an_email(
        [ann, "bob@example.org"],
        "Report for {{ month }}",
        "See {{ month }}.",
        context={"month": "May"},
        from_=ann,
        cc="cy@example.org",
        bcc=[ann],
        reply_to=None,
        attachments=[
            "report.pdf",
            Path("report.pdf"),
            ("a.csv", b"1,2"),
            Attachment(b"x", name="x"),
        ],
        inline_images={"chart": b"..."},
        headers={"X-Team": "ops", "Auto-Submitted": None},
        thread="INC-42",
        starts_thread=True,
        idempotency_key="run",
        list_unsubscribe=["https://example.org/stop", "stop@example.org"],
        importance="high",
        reverse_path="bounces@example.org",
        preheader="In short",
        labels={"SEV1": "critical", "Open": ""},
        include_header=False,
        include_footer=False,
        custom_logo_url="https://example.org/logo.png",
        categories=["reports"],
        artifact="with-recipients",
        relay=smtp,
    )
    send_an_email("ann@example.org", "x", html="<p>x</p>", relay="sendgrid/main")
    send_an_email("ann@example.org", "x", attachments={"a.csv": b"1,2"}, relay=sendgrid)
    send_an_email("ann@example.org", "x", relay=transport, labels="one, two", artifact=True)


def mistakes() -> None:
    """What a type checker finds before a flow runs."""
    send_an_email("ann@example.org")  # type: ignore[call-overload]  # no subject
    send_an_email("ann@example.org", "x", subjct="y")  # type: ignore[call-overload]  # misspelt
    send_an_email(42, "x")  # type: ignore[call-overload]
    send_an_email("ann@example.org", "x", tone="red")  # type: ignore[call-overload]
    send_an_email("ann@example.org", "x", importance="urgent")  # type: ignore[call-overload]
    send_an_email("ann@example.org", "x", relay=42)  # type: ignore[call-overload]
    send_an_email("ann@example.org", "x", "y", "z")  # type: ignore[call-overload]  # options have names
    send_emails("ann@example.org")  # type: ignore[arg-type]
    render("ann@example.org", "x", relay="outbox")  # type: ignore[call-arg]  # it asks no relay
    email_on_failure("ann@example.org", log_lines="all")  # type: ignore[arg-type]
    email_on_failure("ann@example.org", body="x")  # type: ignore[call-arg]  # the run is the body
    SMTP(address="smtp.example.org", authentication="ntlm")  # type: ignore[arg-type]
    SMTP(adress="smtp.example.org")  # type: ignore[call-arg]  # misspelt
    SendGrid(api_key=SecretStr("SG.x"), categories="a")  # type: ignore[arg-type]


@flow
async def from_async_code() -> None:
    """The same from async code."""
    assert_type(await asend_an_email("ann@example.org", "Disk full", "It is."), Receipt)
    assert_type(await asend_emails([{"to": "ann@example.org", "subject": "x"}]), list[Receipt])
    assert_type(await asend_an_email.fn("ann@example.org", "x", "y"), Receipt)


@flow
def many_mails(rows: list[dict[str, str]]) -> None:
    """Lists, batches, and what became of each."""
    mails = [{"to": row["address"], "subject": "May", "context": row} for row in rows]
    assert_type(send_emails(mails, connections=4, relay="smtp/main"), list[Receipt])
    assert_type(send_emails.submit(mails).result(), list[Receipt])
    assert_type(send_emails.map(in_batches(mails, 500)).result(), list[list[Receipt]])
    try:
        send_emails(mails)
    except MailsNotAccepted as error:
        assert_type(error.transient, bool)


def what_became_of_it(receipt: Receipt) -> None:
    """A receipt, and the errors."""
    assert_type(receipt.message_id, str)
    assert_type(receipt.relay, str)
    assert_type(receipt.accepted, tuple[str, ...])
    assert_type(receipt.refused, dict[str, Refusal])
    assert_type(receipt.bcc_accepted, int)
    assert_type(receipt.left_out, tuple[str, ...])
    assert_type(receipt.submitted_at, datetime)
    if receipt.outcome == "stored":
        return
    try:
        send_an_email("ann@example.org", "x", "y")
    except RecipientsRefused as error:
        assert_type(error.refusals["ann@example.org"].code, int)
    except DeliveryError as error:
        assert_type(error.nothing_handed_over, bool)
    except EmailError as error:
        assert_type(error.transient, bool)
        assert_type((error.field, error.problem, error.fix), tuple[str, str, str])


@flow(
    on_failure=[email_on_failure("ops@example.org", group_within="15m", cc="b@example.org")],
    on_crashed=[email_on_crash(["ops@example.org"])],
    on_cancellation=[email_on_cancellation("ops@example.org", importance="low")],
    on_completion=[
        email_on_completion("ops@example.org", subject="$name is done"),
        email_on_recovery("ops@example.org"),
    ],
)
def with_hooks() -> None:
    """Hooks of a flow."""


@task(on_failure=[email_on_failure("ops@example.org")])
def step_with_a_hook() -> None:
    """A hook of a task."""


def about_runs(state: State[Any], run: UUID) -> None:
    """What mails about runs are made of."""
    report = describe_flow_run(run, log_lines=20)
    assert_type(report, RunReport)
    assert_type(report.subject, str)
    assert_type(cause_of(state), Cause)
    now = datetime.now(UTC)
    assert_type(runs_url(["Failed"], now - timedelta(days=1), now), str)
    assert_type(format_time(now), str)
    assert_type(format_duration(timedelta(minutes=3)), str)
    assert_type(mask("password=hunter2"), str)
    assert_type(escape_markdown("1 * 2"), str)
    preview = render("ann@example.org", "x", "y", tone="good")
    assert_type(preview, Preview)
    assert_type((preview.html, preview.text, preview.eml), tuple[str, str, bytes])


def blocks() -> None:
    """Blocks as scripts make them."""
    relay = SMTP(
        address="smtp.example.org",
        port=465,
        username=SecretStr("flows@example.org"),
        password=SecretStr("..."),
        authentication="scram_sha_256",
        ssl_verify_mode="peer",
        from_address="Flows <flows@example.org>",
        messages_per_minute=30,
    )
    relay.save("main", overwrite=True)
    assert_type(relay.check().has_passed, bool)
    assert_type(relay.check(recipient="ann@example.org").step("login").detail, str)
    SendGrid(api_key=SecretStr("SG.x"), from_address="flows@example.org", sandbox_mode=True).check()
    mounted = "/run/secrets/smtp-relay/password"
    SMTP(address="smtp.example.org", username=SecretStr("flows"), password_file=mounted).check()
    SMTP(address="smtp.example.org", password_variable=7)  # type: ignore[arg-type]  # its name
    SendGrid(api_key_file="/run/secrets/smtp-relay/api-key").check()
    SendAnEmail(to="ops@example.org", markdown=True).notify("Disk full", "db-1")


def test_of_a_user(
    mail_server: MailServer, certificates: Certificates, in_memory_transport: InMemoryTransport
) -> None:
    """The fixtures of ``prefect_smtp_relay.testing``."""
    assert_type(mail_server.port, int)
    assert_type(mail_server.mails, list[ReceivedMail])
    assert_type(mail_server.mails[0].forward_paths, tuple[str, ...])
    assert_type(certificates.ca_pem, str)
    assert_type(in_memory_transport.deliveries, list[Delivery])
    assert_type(in_memory_transport.deliveries[0].message.subject, str)
