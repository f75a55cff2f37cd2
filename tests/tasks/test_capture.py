"""The setting ``capture_to``: every mail is a file, and none leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from prefect import flow
from prefect.events.worker import EventsWorker

from prefect_smtp_relay import SMTP, asend_an_email, send_an_email, send_emails
from prefect_smtp_relay.exceptions import InvalidMailbox
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.events import told

_MANY = [{"to": "ann@example.org", "subject": f"Many {n}", "body": "b"} for n in (1, 2)]


@pytest.fixture
def mails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Capture mail; return the subjects of what was captured, in their order."""
    folder = tmp_path / "mails"
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_CAPTURE_TO", str(folder))

    def subjects() -> list[str]:
        files = folder.glob("*.eml")
        return sorted(message_from_bytes(f.read_bytes(), policy=default)["Subject"] for f in files)

    return subjects


def test_every_way_to_send_is_captured(
    mails: Callable[[], list[str]], mail_server: MailServer, outbox_path: Path
) -> None:
    """A relay that is connected or named, a block and the outbox get nothing."""
    block = SMTP(address=mail_server.host, port=mail_server.port, ssl=False, from_address="a@b.org")
    block.save("main")

    @flow
    async def tell() -> None:
        for relay in (None, "smtp/main", "smtp/gone", "outbox", block):
            receipt = send_an_email.fn("ann@example.org", "One", "b", relay=relay)
            assert (receipt.relay, receipt.outcome, receipt.accepted) == ("capture", "stored", ())
        await asend_an_email("ann@example.org", "Async", "b")
        send_an_email.submit("ann@example.org", "Submitted", "b").result()
        send_emails(_MANY)

    asyncio.run(tell())
    assert mails() == ["Async", "Many 1", "Many 2", *["One"] * 5, "Submitted"]
    assert mail_server.connections == 0
    assert not outbox_path.exists()


def test_a_captured_mail_is_logged_and_causes_no_event(
    mails: Callable[[], list[str]], events_worker: EventsWorker, caplog: pytest.LogCaptureFixture
) -> None:
    """Its log line names the file: there is nothing for an automation to react to."""
    with caplog.at_level(logging.INFO):
        receipt = send_an_email.fn("ann@example.org", "S", "b")
    assert f"Captured {receipt.message_id}: {receipt.response}" in caplog.text
    assert receipt.response.endswith(".eml")
    assert mails() == ["S"]
    assert told(events_worker) == []


def test_a_captured_mail_does_not_use_up_its_key(
    mails: Callable[[], list[str]], mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same key is captured again, and submits its mail once capturing ends."""
    block = SMTP(address=mail_server.host, port=mail_server.port, ssl=False, from_address="a@b.org")

    def send() -> str:
        return send_an_email.fn(
            "ann@example.org", "S", "b", relay=block, idempotency_key="INC-42"
        ).outcome

    assert [send(), send()] == ["stored", "stored"]
    assert mails() == ["S", "S"]
    monkeypatch.delenv("PREFECT_INTEGRATIONS_SMTP_RELAY_CAPTURE_TO")
    assert (send(), len(mail_server.mails)) == ("accepted", 1)


def test_a_wrong_mail_is_an_error_all_the_same(mails: Callable[[], list[str]]) -> None:
    """What could not be submitted is not captured either."""
    with pytest.raises(InvalidMailbox):
        send_an_email.fn("nobody", "s", "b")
    assert mails() == []
