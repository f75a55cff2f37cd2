"""One server and one headless Chromium for the whole folder, and nothing connected at first."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from tests.chromium import find_chromium, running_chromium
from tests.prefect_server import PrefectServer

from .interfaces import INTERFACES, Interface

_PATIENCE_MILLISECONDS = 60_000
_DRAIN_SECONDS = 60


@pytest.fixture(scope="package")
def chromium() -> str:
    """Find Debian's Chromium; without it the tests are skipped, but never in CI."""
    return find_chromium()


@pytest.fixture(scope="package")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    """Run a server that knows the block types, and make this process its client.

    Without the services of a server, which hold the database of a busy machine for too long.
    """
    del chromium  # without a browser there is no need for a server
    server = PrefectServer(tmp_path_factory.mktemp("prefect"), "--no-services")
    server.variables["PREFECT_API_URL"] = server.api_url
    with server.running():
        server.run("block", "register", "-m", "prefect_smtp_relay")
        with temporary_settings({PREFECT_API_URL: server.api_url, PREFECT_HOME: server.home}):
            yield server
        # An event that is still on its way when its server stops would hang Prefect's own harness,
        # which waits at the end for the events of every server.
        EventsWorker.drain_all(timeout=_DRAIN_SECONDS)


@pytest.fixture(scope="package")
def browser(chromium: str, server: PrefectServer) -> Iterator[BrowserContext]:
    """Run the browser; it reaches nothing but the server, and keeps the interfaces' files."""
    expect.set_options(timeout=_PATIENCE_MILLISECONDS)
    with running_chromium(chromium) as browser:
        context = browser.new_context(
            viewport={"width": 1200, "height": 1000}, color_scheme="light"
        )
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        context.route(lambda url: not url.startswith(server.url), lambda route: route.abort())
        yield context


@pytest.fixture(params=INTERFACES, ids=lambda interface: interface.__name__)
def ui(
    request: pytest.FixtureRequest, browser: BrowserContext, server: PrefectServer
) -> Iterator[Interface]:
    """Show an interface in a new tab, which knows of no draft: V2 keeps what was not saved."""
    page = browser.new_page()
    page.goto(f"{server.url}/ui-settings")
    page.evaluate("localStorage.clear()")
    yield request.param(page, server.url)
    page.close()


@pytest.fixture
def client(server: PrefectServer) -> Iterator[SyncPrefectClient]:
    """Give a client of the server."""
    del server
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
def in_own_thread() -> Callable[[Callable[[], Any]], Any]:
    """Run a flow apart from the browser.

    Playwright's event loop runs in the main thread, and Prefect would take it for the flow's.
    """

    def run(function: Callable[[], Any]) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(contextvars.copy_context().run, function).result()

    return run
