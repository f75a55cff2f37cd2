"""The events that mails cause."""

from __future__ import annotations

from prefect.events.clients import AssertingEventsClient
from prefect.events.schemas.events import Event
from prefect.events.worker import EventsWorker

PREFIX = "prefect-smtp-relay.email."


def told(worker: EventsWorker) -> list[Event]:
    """Wait for the events of mails."""
    worker.wait_until_empty()
    # A client that no event has reached has none yet, and no list of them.
    events = getattr(AssertingEventsClient.all[-1], "events", [])
    return [event for event in events if event.event.startswith(PREFIX)]
