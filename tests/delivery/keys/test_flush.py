"""The outbox and the keys: what was given up goes once, by a flush or by another call."""

from __future__ import annotations

from pathlib import Path

import pytest

from prefect_smtp_relay import SMTP, send_an_email
from prefect_smtp_relay.delivery.resubmit import flush
from prefect_smtp_relay.exceptions import EmailError, OutcomeUnknown
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.outbox import FlushReport
from tests.delivery.keys.keyed_flows import KEY, LATER, MAIL, NEVER, receipts, records, tell
from tests.delivery.keys.lost import Lost
from tests.tasks.bulk_mails import connect


def _give_up(mail_server: MailServer) -> None:
    mail_server.refused["DATA"] = NEVER
    with pytest.raises(EmailError):
        tell()
    mail_server.refused.clear()


def _flush() -> FlushReport:
    return flush(current_settings())


def test_a_mail_that_was_flushed_does_not_go_again(mail_server: MailServer, spool: Path) -> None:
    """The flush leaves the receipt under the key, and the next call gets it."""
    _give_up(mail_server)
    assert not records(spool)
    (receipt,) = _flush().accepted
    assert tell() == receipt
    assert mail_server.offered == 2


def test_a_mail_that_another_call_submitted_is_not_flushed(
    mail_server: MailServer, outbox_path: Path
) -> None:
    """The entry in the outbox goes, and the mail does not."""
    _give_up(mail_server)
    receipt = tell()
    report = _flush()
    assert (report.accepted, report.remaining) == ([receipt], 0)
    assert mail_server.offered == 2
    assert not list(outbox_path.iterdir())


def test_a_mail_that_another_call_submits_now_waits_in_the_outbox(mail_server: MailServer) -> None:
    """A flush that meets the claim of its key submits nothing."""
    _give_up(mail_server)
    reports = []

    def flush_meanwhile(_: str) -> None:
        mail_server.data_reply = None
        reports.append(_flush())

    mail_server.data_reply = flush_meanwhile
    tell()
    (report,) = reports
    assert "submits the mail of this key now" in report.failed[0][1]
    assert (report.remaining, _flush().remaining) == (1, 0)
    assert mail_server.offered == 2


def test_those_who_were_asked_to_wait_get_the_mail_by_a_flush(
    mail_server: MailServer, spool: Path
) -> None:
    """The key has the receipt of the others, which does not keep the mail from them."""
    mail_server.refused["ben@example.org"] = LATER
    tell(to="ann@example.org, ben@example.org")
    mail_server.refused.clear()
    assert _flush().remaining == 0
    paths = [mail.forward_paths for mail in mail_server.mails]
    assert paths == [("ann@example.org",), ("ben@example.org",)]
    assert len(receipts(spool)) == 1


def test_a_mail_that_was_stored_while_nothing_was_connected_is_flushed(
    mail_server: MailServer,
) -> None:
    """Its key has a receipt, which says that it is in the outbox."""
    _give_up(mail_server)
    SMTP.delete("main")
    assert tell().outcome == "stored"
    connect(mail_server)
    assert _flush().remaining == 0
    assert len(mail_server.mails) == 1


def test_a_mail_of_which_nobody_knows_is_flushed_where_it_is_named(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ``keep`` its key says so until then, and has the receipt after it."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_UNKNOWN_OUTCOME", "keep")
    with pytest.raises(OutcomeUnknown):
        send_an_email.fn(**MAIL, idempotency_key=KEY, from_="ops@example.org", relay=Lost("lost"))
    settings = current_settings()
    (entry,) = _flush().unknown
    (receipt,) = flush(settings, [entry]).accepted
    assert tell() == receipt
    assert len(mail_server.mails) == 1
