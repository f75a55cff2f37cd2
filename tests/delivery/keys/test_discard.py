"""The outbox and the keys: what becomes of the key of a mail that is discarded."""

from __future__ import annotations

from pathlib import Path

import pytest

from prefect_smtp_relay import SMTP, Receipt, send_an_email
from prefect_smtp_relay.delivery.discard import discard
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.exceptions import EmailError, OutcomeUnknown
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.outbox import DiscardReport
from tests.delivery.keys.keyed_flows import KEY, MAIL, NEVER, records, tell
from tests.delivery.keys.lost import Lost
from tests.tasks.bulk_mails import connect


def _discard() -> DiscardReport:
    settings = current_settings()
    return discard(settings, open_outbox(settings).ids())


def test_a_mail_that_was_stored_can_be_submitted_again(mail_server: MailServer) -> None:
    """Its receipt said that the outbox has it, which is not true any more."""
    SMTP.delete("main")
    assert tell().outcome == "stored"
    assert len(_discard().discarded) == 1
    connect(mail_server)
    assert tell().outcome == "accepted"
    assert len(mail_server.mails) == 1


def test_a_mail_that_was_given_up_can_be_submitted_again(
    mail_server: MailServer, spool: Path
) -> None:
    """Its key was free already."""
    mail_server.refused["DATA"] = NEVER
    with pytest.raises(EmailError):
        tell()
    mail_server.refused.clear()
    assert len(_discard().discarded) == 1
    assert not records(spool)
    assert tell().outcome == "accepted"


def test_the_receipt_of_an_accepted_mail_stays(mail_server: MailServer) -> None:
    """Another call had the mail submitted before its entry was discarded."""
    mail_server.refused["DATA"] = NEVER
    with pytest.raises(EmailError):
        tell()
    mail_server.refused.clear()
    receipt: Receipt = tell()
    assert len(_discard().discarded) == 1
    assert tell() == receipt
    assert len(mail_server.mails) == 1


def test_what_nobody_knows_stays_unknown(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay may have the mail: discarding it does not make a second one go."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_UNKNOWN_OUTCOME", "keep")
    with pytest.raises(OutcomeUnknown):
        send_an_email.fn(**MAIL, idempotency_key=KEY, from_="ops@example.org", relay=Lost("lost"))
    assert len(_discard().discarded) == 1
    with pytest.raises(OutcomeUnknown):
        tell()
    assert mail_server.mails == []


def test_a_key_that_cannot_be_read_keeps_its_mail(spool: Path) -> None:
    """Nobody can say what became of it."""
    SMTP.delete("main")
    tell()
    [record] = records(spool)
    record.write_text("damaged")
    report = _discard()
    assert (report.discarded, report.remaining) == ([], 1)
    assert "is damaged" in report.failed[0][1]
