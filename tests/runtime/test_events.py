"""One event for each mail."""

from __future__ import annotations

from prefect import flow
from prefect.events.worker import EventsWorker

from prefect_smtp_relay import SMTP, Receipt, send_an_email
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.events import PREFIX, told


@flow
def notify(relay: SMTP | None = None, to: str = "ann@example.org") -> Receipt | None:
    """Send without pauses between the tries; a failed mail does not stop the flow."""
    action = send_an_email.with_options(retries=1, retry_delay_seconds=0)
    try:
        return action(to, "A subject", "Secret body", relay=relay)
    except EmailError:
        return None


def relay_of(server: MailServer) -> SMTP:
    """A block for the running server."""
    return SMTP(address=server.host, port=server.port, ssl=False, from_address="ops@example.org")


def test_an_accepted_mail_is_told_with_relay_counts_and_message_id(
    mail_server: MailServer, events_worker: EventsWorker
) -> None:
    """The event names the relay and the Message-ID, is related to the run, and holds no address."""
    receipt = notify(relay_of(mail_server))
    (event,) = told(events_worker)
    assert receipt is not None
    assert event.event == f"{PREFIX}accepted"
    assert event.payload["message_id"] == receipt.message_id
    assert (event.payload["accepted"], event.payload["refused"]) == (1, 0)
    assert event.payload["relay"] == "smtp"
    roles = {resource.role for resource in event.related}
    assert {"flow-run", "task-run", "flow"} <= roles
    text = event.model_dump_json()
    assert "ann@example.org" not in text
    assert "Secret" not in text


def test_a_stored_mail_is_told(events_worker: EventsWorker) -> None:
    """Where nothing is connected the event says so, for an automation to react."""
    notify()
    (event,) = told(events_worker)
    assert event.event == f"{PREFIX}stored"
    assert event.payload["relay"] == "outbox"


def test_a_mail_that_every_recipient_refused_is_told(
    mail_server: MailServer, events_worker: EventsWorker
) -> None:
    """All refused is an event of its own."""
    mail_server.refused["ann@example.org"] = "550 5.1.1 no such user"
    notify(relay_of(mail_server))
    (event,) = told(events_worker)
    assert event.event == f"{PREFIX}refused"
    assert event.payload["message_id"].endswith("@example.org>")
    assert (event.payload["accepted"], event.payload["refused"]) == (0, 1)
    assert (event.payload["code"], event.payload["enhanced_code"]) == (550, "5.1.1")


def test_a_mail_that_failed_is_told_once_after_the_last_try(
    mail_server: MailServer, events_worker: EventsWorker
) -> None:
    """Two tries, one event, with the class and the codes of the error."""
    mail_server.refused["DATA"] = "451 4.3.0 later"
    notify(relay_of(mail_server))
    (event,) = told(events_worker)
    assert event.event == f"{PREFIX}failed"
    assert mail_server.offered == 2
    assert event.payload["error"] == "TransientFailure"
    assert (event.payload["code"], event.payload["enhanced_code"]) == (451, "4.3.0")
    assert event.payload["message_id"].endswith("@example.org>")


def test_a_message_that_could_not_be_composed_is_told(events_worker: EventsWorker) -> None:
    """What the caller got wrong is an event too, without a Message-ID."""
    notify(to="nobody")
    (event,) = told(events_worker)
    assert event.event == f"{PREFIX}failed"
    assert event.payload["error"] == "InvalidMailbox"
    assert event.payload["message_id"] == ""
