"""The fixtures of tests that ask Prefect: a server with nothing connected, and no other outbox.

A folder's ``conftest.py`` takes them all: ``from tests.prefect_api import *``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.clients import AssertingEventsClient
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_HOME, PREFECT_LOCAL_STORAGE_PATH, temporary_settings

from prefect_smtp_relay.testing.mail_server import MailServer

__all__ = [
    "client",
    "events_worker",
    "mail_server",
    "nothing_connected",
    "outbox_path",
    "result_storage",
]


@pytest.fixture
def client(prefect_server: Path) -> Iterator[SyncPrefectClient]:
    """Give a client of the server."""
    del prefect_server
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture(autouse=True)
def nothing_connected(client: SyncPrefectClient) -> None:
    """Delete every block document."""
    for document in client.read_block_documents():
        client.delete_block_document(document.id)


@pytest.fixture(autouse=True)
def outbox_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an outbox of its own."""
    spool = tmp_path / "spool"
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL", str(spool))
    return spool / "outbox"


@pytest.fixture
def result_storage(tmp_path: Path) -> Iterator[Path]:
    """Give a test a home and a default result storage of its own."""
    folder = tmp_path / "results"
    with temporary_settings({PREFECT_HOME: tmp_path, PREFECT_LOCAL_STORAGE_PATH: folder}):
        yield folder


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """Run a mail server without TLS and without users: what it takes is what is tested."""
    with MailServer() as server:
        yield server


@pytest.fixture
def events_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[EventsWorker]:
    """Keep the events of a test, with the resources that Prefect relates them to."""
    AssertingEventsClient.reset()
    worker = EventsWorker.instance(AssertingEventsClient)
    monkeypatch.setattr(EventsWorker, "instance", lambda *_: worker)
    yield worker
    worker.drain()
