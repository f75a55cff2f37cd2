"""Recipients who may be accepted later: tried again alone, and nobody gets a mail twice."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from prefect import flow

from prefect_smtp_relay import SMTP, Receipt, send_an_email
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.mail.receipt import Refusal
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.mail_server import MailServer

LATER = "451 4.7.1 greylisted"
ANN, BEN, EVE = "ann@example.org", "ben@example.org", "eve@example.org"


def send(mail_server: MailServer, retries: int = 2, bcc: str = "") -> Receipt:
    """Send to Ann and Ben from a flow, with no pause between the tries."""
    action = send_an_email.with_options(retries=retries, retry_delay_seconds=0)
    relay = SMTP(
        address=mail_server.host, port=mail_server.port, ssl=False, from_address="ops@example.org"
    )

    @flow
    def notify() -> Receipt:
        return action([ANN, BEN], "s", "b", bcc=bcc, relay=relay)

    return notify()


def take_later(mail_server: MailServer, *addresses: str) -> None:
    """Refuse these with 451 until a first mail was offered."""
    mail_server.refused |= dict.fromkeys(addresses, LATER)

    def reply(_: str) -> None:
        for address in addresses:
            mail_server.refused.pop(address, None)

    mail_server.data_reply = reply


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings of the run."""
    records = [r for r in caplog.records if r.name == "prefect.task_runs"]
    return [r.getMessage() for r in records if r.levelno == logging.WARNING]


def test_only_the_deferred_are_tried_again(mail_server: MailServer) -> None:
    """Who has the mail does not get it again; the receipt is that of all tries."""
    take_later(mail_server, BEN)
    receipt = send(mail_server)
    assert [mail.forward_paths for mail in mail_server.mails] == [(ANN,), (BEN,)]
    assert (receipt.accepted, receipt.refused) == ((ANN, BEN), {})
    assert receipt.response == "250 2.0.0 queued as 1; 250 2.0.0 queued as 2"
    assert len({mail.message["Message-ID"] for mail in mail_server.mails}) == 1


def test_a_deferred_bcc_recipient_is_tried_again_and_not_shown(
    mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Who is deferred in Bcc is counted in the receipt, and named nowhere."""
    take_later(mail_server, EVE)
    receipt = send(mail_server, bcc=EVE)
    assert [mail.forward_paths for mail in mail_server.mails] == [(ANN, BEN), (EVE,)]
    assert (receipt.bcc_accepted, receipt.bcc_refused) == (1, 0)
    assert "eve@" not in receipt.model_dump_json() + caplog.text


def test_who_stays_deferred_is_in_the_receipt_and_in_the_outbox(
    mail_server: MailServer, caplog: pytest.LogCaptureFixture, outbox_path: Path
) -> None:
    """Each retry and the end warn of them, and the outbox has the mail for them alone."""
    mail_server.refused[BEN] = LATER
    receipt = send(mail_server)
    assert receipt.accepted == (ANN,)
    assert receipt.refused == {BEN: Refusal(code=451, enhanced_code="4.7.1", text="greylisted")}
    *retries, last = warnings_in(caplog)
    assert len(retries) == 2
    assert "The next try is in about 0 seconds; 1 more may follow." in retries[0]
    assert f"{BEN}: {LATER}" in last
    outbox = open_outbox(current_settings())
    (entry,) = outbox.entries()
    assert entry.place == f"{outbox_path}/{entry.id}.eml"
    _, envelope = outbox.read(entry)
    assert [mailbox.address for mailbox in envelope.forward_paths] == [BEN]


def test_whoever_is_refused_for_good_is_not_tried_again(
    mail_server: MailServer, outbox_path: Path
) -> None:
    """A 550 beside accepted recipients is told in the receipt of the only try."""
    mail_server.refused[BEN] = "550 5.1.1 no such user"
    assert list(send(mail_server).refused) == [BEN]
    assert mail_server.offered == 1
    assert not list(outbox_path.glob("*"))


def test_a_deferral_that_becomes_a_refusal(mail_server: MailServer) -> None:
    """The receipt gives the relay's last word."""
    take_later(mail_server, BEN)
    changed = mail_server.data_reply
    assert changed is not None

    def reply(mail_id: str) -> None:
        changed(mail_id)
        mail_server.refused[BEN] = "550 5.1.1 no such user"

    mail_server.data_reply = reply
    receipt = send(mail_server)
    assert (receipt.accepted, receipt.refused[BEN].code) == ((ANN,), 550)


def test_a_deferred_bcc_recipient_who_is_refused_is_not_asked_again(
    mail_server: MailServer, outbox_path: Path
) -> None:
    """The relay's last word counts for those whom no receipt names, too."""
    take_later(mail_server, EVE)
    changed = mail_server.data_reply
    assert changed is not None

    def reply(mail_id: str) -> None:
        changed(mail_id)
        mail_server.refused[EVE] = "550 5.1.1 no such user"

    mail_server.data_reply = reply
    receipt = send(mail_server, retries=3, bcc=EVE)
    assert (receipt.accepted, receipt.bcc_refused) == ((ANN, BEN), 1)
    assert not list(outbox_path.glob("*"))


def test_the_outbox_names_only_who_waits(mail_server: MailServer, outbox_path: Path) -> None:
    """What is kept for the deferred says nothing of Bcc recipients who have the mail."""
    mail_server.refused[BEN] = LATER
    send(mail_server, retries=0, bcc=EVE)
    (record,) = outbox_path.glob("*.json")
    assert '"ben"' in record.read_text()
    assert '"eve"' not in record.read_text()


def test_what_fails_on_the_way_to_the_deferred_does_not_undo_the_rest(
    mail_server: MailServer,
) -> None:
    """The others have the mail: whatever meets the second try, the result is their receipt."""
    replies = iter([None])

    def reply(_: str) -> str | None:
        mail_server.refused.pop(BEN, None)
        return next(replies, "554 5.7.1 spam")

    mail_server.refused[BEN] = LATER
    mail_server.data_reply = reply
    receipt = send(mail_server)
    assert (receipt.accepted, list(receipt.refused)) == ((ANN,), [BEN])
