"""A first set-up is wrong, and a flow is tried again and again: its mail is stored with a word."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.compose.origin import Origin
from prefect_smtp_relay.delivery.deliver import deliver
from prefect_smtp_relay.delivery.discard import flush_newest
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.runtime.run import Run
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.outbox.stored_mail import StoredMail, copies, short_id

_MAIL = {"to": "ann@example.org", "subject": "Import", "body": "Done: {{ rows }} rows"}


@pytest.fixture
def run_a_flow(caplog: pytest.LogCaptureFixture) -> Callable[..., str]:
    """Send the mail of a flow run; return what its log says of the outbox."""

    def run(name: str, rows: int = 12, **options: Any) -> str:
        caplog.clear()
        settings, origin = current_settings(), Origin(f"the flow **import** (run {name})", "import")
        mail = draft({**_MAIL, "context": {"rows": rows}, **options}, settings, origin)
        with caplog.at_level(logging.WARNING):
            deliver([mail], None, Run(), settings)
        return "\n".join(r.message for r in caplog.records if "is stored as" in r.message)

    return run


def _connect(server: MailServer, **fields: Any) -> None:
    place = {"address": server.host, "port": server.port, "ssl": False}
    SMTP(**{**place, "from_address": "ops@example.org", **fields}).save("main", overwrite=True)


def _waiting() -> list[StoredMail]:
    return open_outbox(current_settings()).entries()


def test_each_further_copy_names_those_before(
    run_a_flow: Callable[..., str], mail_server: MailServer
) -> None:
    """Runs differ in their name, which the footer tells; the log says how to submit one of them."""
    _connect(mail_server, from_address="")
    assert "The same mail" not in run_a_flow("brave-otter")
    for number in range(1, 4):
        told = run_a_flow(f"run-{number}")
        before = ", ".join(short_id(mail.id) for mail in _waiting()[:number])
        assert f"The same mail waits already as {before}: a flush submits each of them." in told
        assert "`prefect-smtp-relay outbox flush --newest-copy`" in told
        assert "`prefect-smtp-relay outbox discard ID`" in told
    assert [len(group) for group in copies(_waiting())] == [4]


def test_what_says_something_else_is_another_mail(
    run_a_flow: Callable[..., str], mail_server: MailServer
) -> None:
    """A value of a template is a part of the body."""
    _connect(mail_server, from_address="")
    run_a_flow("one", rows=12)
    assert "The same mail" not in run_a_flow("two", rows=13)
    assert "The same mail" not in run_a_flow("three", tone="critical")
    assert copies(_waiting()) == []


def test_where_nothing_is_connected_a_copy_is_told_too(run_a_flow: Callable[..., str]) -> None:
    """The WARNING names what waits already."""
    del run_a_flow
    settings = current_settings()
    receipts = [
        deliver([draft(_MAIL, settings, Origin())], None, Run(), settings)[0].get()
        for _ in range(2)
    ]
    first, second = _waiting()
    assert receipts[1].response == (
        f"stored as {second.place} (the same mail waits already as {short_id(first.id)})"
    )


def test_after_the_fix_one_of_them_goes(
    run_a_flow: Callable[..., str], mail_server: MailServer
) -> None:
    """The newest is submitted, and the others are discarded; other mails go as ever."""
    _connect(mail_server, from_address="")
    for name in ("one", "two", "three"):
        run_a_flow(name)
    run_a_flow("four", subject="Export")
    waiting = _waiting()
    settings, ids = current_settings(), [mail.id for mail in waiting]
    mail_server.refused["DATA"] = "554 no"
    _connect(mail_server)
    report, discarded = flush_newest(settings, ids, copies(waiting))
    assert (discarded.discarded, report.remaining) == ([], 4)
    mail_server.refused.clear()
    report, discarded = flush_newest(settings, ids, copies(waiting))
    assert discarded.discarded == ids[:2]
    assert (len(report.accepted), report.remaining) == (2, 0)
    assert [mail.message["Message-ID"] for mail in mail_server.mails] == [
        mail.message_id for mail in waiting[2:]
    ]
