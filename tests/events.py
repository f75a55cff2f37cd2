"""The events that mails cause."""

from __future__ import annotations

from prefect.events.clients import AssertingEventsClient
from prefect.events.schemas.events import Event
from prefect.events.worker import EventsWorker

PREFIX = "prefect-smtp-relay.email."


def told(worker: EventsWorker) -> list[Event]:
    """Wait for the events of mails."""
    worker.wait_until_empty()
    return [e for e in AssertingEventsClient.all[-1].events if e.event.startswith(PREFIX)]
