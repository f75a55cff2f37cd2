"""Which relay takes a mail, and what the receipt, the event and the log say of that."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import BlockDocumentUpdate
from prefect.events.worker import EventsWorker

from prefect_smtp_relay import SMTP, Receipt, send_an_email, send_emails
from prefect_smtp_relay.delivery.claim import Claim
from prefect_smtp_relay.delivery.identity import hash_of_key
from prefect_smtp_relay.exceptions import ConnectionFailed, MailsNotAccepted, OutcomeUnknown
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.clock import FastClock
from tests.counted_requests import counting_requests
from tests.delivery.failover.conftest import save
from tests.events import told
from tests.tasks.bulk_mails import mails_to
from tests.tasks.bulk_tries import send
from tests.transports.smtp.scripted_server import ScriptedServer

pytestmark = pytest.mark.usefixtures("two_relays")

LOST_ANSWER = (
    "S: 220 mx.test\nEHLO SIZE 0\nC: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\nS: 354 go on\n"
    "STORE"
)
HALF_WAY = (
    "S: 220 mx.test\nEHLO SIZE 0\nSERVE 2\nC: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\nCLOSE"
)


def submit(**options: Any) -> Receipt:
    """Send one mail, with one try."""
    receipt: Receipt = send_an_email.fn("ann@example.org", "s", "b", **options)
    return receipt


def test_the_next_relay_takes_the_mail_at_once(
    mail_server: MailServer, events_worker: EventsWorker, caplog: pytest.LogCaptureFixture
) -> None:
    """Receipt, event and log say who took it, in place of whom, and why."""
    caplog.set_level(logging.INFO)
    receipt = submit()
    assert len(mail_server.mails) == 1
    (passed_over,) = receipt.failed_over_from
    assert (receipt.relay, passed_over.relay) == ("smtp/second", "smtp/first")
    assert passed_over.error == "ConnectionFailed"
    assert "Check *Address*" in passed_over.reason
    assert told(events_worker)[-1].payload["failed_over_from"] == [
        {"relay": "smtp/first", "error": "ConnectionFailed"}
    ]
    assert "Nothing was handed over: smtp/second is next." in caplog.text
    assert "smtp/second, in place of smtp/first, accepted" in caplog.text


def test_the_from_of_the_relay_that_takes_it(mail_server: MailServer) -> None:
    """A mail whose action names no sender has that of the second relay, and of no other."""
    submit()
    submit(from_="own@example.org")
    senders = [mail.reverse_path for mail in mail_server.mails]
    assert senders == ["second@example.org", "own@example.org"]


def test_the_relay_that_failed_is_passed_over_for_a_minute(
    down: MailServer, mail_server: MailServer, fast_clock: FastClock
) -> None:
    """It is not asked again before, and is the first choice afterwards."""
    submit()
    with down:
        assert submit().relay == "smtp/second"
        assert down.connections == 0
        fast_clock.sleep(61)
        assert submit().failed_over_from == ()
        assert (len(down.mails), len(mail_server.mails)) == (1, 2)


def test_a_relay_that_was_passed_over_is_still_the_last_resort(down: MailServer) -> None:
    """Where all the others fail too, it is asked within the minute."""
    submit()
    with MailServer() as stopped:
        pass
    save("second", stopped)
    with down:
        receipt = submit()
    assert receipt.relay == "smtp/first"
    assert [each.relay for each in receipt.failed_over_from] == ["smtp/second"]


def test_a_relay_that_the_caller_names_has_no_substitute(mail_server: MailServer) -> None:
    """With relay=, the mail goes there or nowhere."""
    with pytest.raises(ConnectionFailed):
        submit(relay="smtp/first")
    assert mail_server.offered == 0


def test_failover_is_off_by_default(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SMTP blocks are used in the order of choice, and only the first."""
    monkeypatch.delenv("PREFECT_INTEGRATIONS_SMTP_RELAY_FAILOVER")
    with pytest.raises(ConnectionFailed):
        submit()
    assert mail_server.offered == 0


def test_both_relays_cost_one_request(mail_server: MailServer) -> None:
    """The relays are looked up once, in their order, whichever takes the mail."""
    submit()  # a new client asks for more, once
    with counting_requests() as seen:
        submit()
    assert seen == ["POST /api/block_documents/filter"]
    assert len(mail_server.mails) == 2


def test_mails_of_a_batch_that_were_not_handed_over(mail_server: MailServer) -> None:
    """What the first relay accepted stays there; the rest goes to the second, each once."""
    with ScriptedServer(HALF_WAY, "CLOSE") as first:
        SMTP(address=first.host, port=first.port, ssl=False, priority=5, timeout_seconds=5).save(
            "first", overwrite=True
        )
        receipts = send_emails.fn(mails_to(6, from_="ops@example.org"), connections=1)
        assert [receipt.relay for receipt in receipts] == ["smtp/first"] * 2 + ["smtp/second"] * 4
        assert len(first.stored) == 2
    assert [mail.message["Subject"] for mail in mail_server.mails] == [
        f"Mail {n}" for n in range(2, 6)
    ]


def test_a_mail_whose_outcome_is_unknown_stays_with_its_relay(mail_server: MailServer) -> None:
    """After a lost answer no other relay gets the mail, in that try and in the next ones."""
    with ScriptedServer(LOST_ANSWER, "CLOSE") as first:
        SMTP(address=first.host, port=first.port, ssl=False, priority=5, timeout_seconds=5).save(
            "first", overwrite=True
        )
        with pytest.raises(MailsNotAccepted) as caught:
            send(mails_to(1, from_="ops@example.org"), retries=2)
        assert (first.connections, len(first.stored)) == (3, 1)
    assert isinstance(caught.value.errors[0], (OutcomeUnknown, ConnectionFailed))
    assert mail_server.offered == 0


def test_an_invalid_document_is_told_and_no_obstacle(
    client: SyncPrefectClient, mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The mail goes to the relay after it, and the log names the document and the field."""
    save("broken", mail_server, priority=3)
    document = client.read_block_document_by_name("broken", "smtp")
    client.update_block_document(document.id, BlockDocumentUpdate(data={"port": 99999}))
    assert submit().relay == "smtp/second"
    assert "No mail can fail over to smtp/broken: smtp/broken: *Port* (`port`)" in caplog.text


def test_a_mail_whose_process_died_does_not_fail_over(mail_server: MailServer) -> None:
    """The first relay may have it, so under its key it goes there again, or nowhere."""
    key = "INC-42/declared"
    name = hash_of_key(key)
    claim = Claim.of(current_settings().open_spool(), f"keys/{name[:2]}/{name}", keeps_unknown=True)
    assert isinstance(claim, Claim)
    claim.leave()
    with pytest.raises(ConnectionFailed):
        submit(idempotency_key=key)
    assert submit(idempotency_key="another").relay == "smtp/second"
    assert mail_server.offered == 1
