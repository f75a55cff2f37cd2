"""A person who knows only Prefect's UI follows the page "Start", docs/start.md, label by label.

The screenshots are the page's pictures; this writes them to docs/images::

    UPDATE_PICTURES=1 python -m pytest tests/deployments/test_start.py
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import BlockDocumentUpdate
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import FlowRun

from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.chromium import find_chromium, running_chromium
from tests.deployments.conftest import delete_automations
from tests.deployments.start_page import (
    PICTURES,
    Person,
    commands,
    example_values,
    labels,
    pictures,
)
from tests.deployments.workspace import POOL, Workspace, wait_for
from tests.mails import only_mail, text_of

_PASSWORD = "only-for-tests"
_LARGEST_PICTURE = 120_000
_PATIENCE_MILLISECONDS = 120_000


@pytest.fixture
def mail_server(certificates: Certificates) -> Iterator[MailServer]:
    """Run a mail server as most are: STARTTLS, then a login."""
    with MailServer(
        security="starttls",
        tls_context=certificates.server_context,
        users={example_values()["Username"]: _PASSWORD},
    ) as server:
        yield server


@pytest.fixture
def nothing_connected(workspace: Workspace, client: SyncPrefectClient) -> Iterator[None]:
    """Disconnect the relay of the other tests, and connect it again in the end."""
    for document in client.read_block_documents():
        client.delete_block_document(document.id)
    yield
    delete_automations()
    for document in client.read_block_documents():
        client.delete_block_document(document.id)
    workspace.connect()


@pytest.fixture
def person(workspace: Workspace, tmp_path: Path) -> Iterator[Person]:
    """Open the UI in a browser."""
    expect.set_options(timeout=_PATIENCE_MILLISECONDS)
    folder = PICTURES if os.environ.get("UPDATE_PICTURES") else tmp_path
    with running_chromium(find_chromium()) as browser:
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        page = context.new_page()
        page.goto(workspace.server.url)
        yield Person(page, workspace.server.url, folder)


@pytest.mark.usefixtures("nothing_connected")
def test_the_start_page_leads_to_a_mail_in_the_inbox(
    workspace: Workspace, mail_server: MailServer, person: Person, client: SyncPrefectClient
) -> None:
    """Terminal, block, check, test mail, inbox; then a red check, and the way out of it."""
    _set_up(workspace)
    _connect(person, mail_server)
    _look_at_the_check(person)
    _send_a_mail(person)
    mail = only_mail(mail_server)
    assert mail.message["From"] == example_values()["From address"]
    assert "It does." in text_of(mail)
    person.show_mail(mail, "start-mail.png")
    _mistype_the_password(client)
    _correct_the_block(person)
    wait_for(lambda: len(_checks(client, "Completed")) == 2)
    assert person.seen == labels()
    taken = {path.name: path.stat().st_size for path in person.folder.glob("start-*.png")}
    assert {*taken} == pictures() == {path.name for path in PICTURES.glob("start-*.png")}
    assert max(taken.values()) < _LARGEST_PICTURE


def _set_up(workspace: Workspace) -> None:
    """Type what the page says; package and worker are there."""
    install, init, worker = commands()
    assert install == "pip install prefect-smtp-relay"
    assert "check-relay/check-relay" in workspace.command(*shlex.split(init)[1:])
    assert worker == f"prefect worker start --pool {POOL}"


def _connect(person: Person, server: MailServer) -> None:
    person.go_to("Blocks")
    person.click_plus()
    person.seen.append("Search blocks")
    person.search_catalogue("smtp")
    # The search is part of the address; a click before that is undone by it.
    expect(person.page).to_have_url(re.compile("=smtp"))
    person.seen.append("Create")
    person.card("SMTP").get_by_text("Create", exact=True).click()
    person.seen.append("SMTP")
    for title, value in example_values().items():
        person.type_into(title, _PASSWORD if title == "Password" else value)
    person.picture_of_form("start-form.png", "From address")
    person.fill_in({"Address": "localhost", "Port": str(server.port)})
    person.seen.append("Save")
    person.save_new()


def _look_at_the_check(person: Person) -> None:
    person.go_to("Runs")
    person.read("check smtp/main")
    person.picture("start-runs.png")
    person.page.get_by_text("check smtp/main", exact=True).first.click()
    person.read("Completed")
    person.click("Artifacts", "tab")
    person.click_text("check-smtp-main")
    heading = person.page.get_by_role("heading", name="smtp/main is ready to take mail")
    expect(heading).to_be_visible()
    person.picture("start-check.png", column=heading)


def _send_a_mail(person: Person) -> None:
    person.go_to("Deployments")
    person.click("send-test-mail")
    person.click("Run", "button")
    person.click("Custom run", "menuitem")
    person.type_into("to", "ann@example.org")
    person.picture("start-send.png")
    person.seen.append("Submit")
    person.start_run()
    person.go_to("Runs")
    person.click_run("send-test-mail")
    person.read("Completed")
    person.click("Details", "tab")
    person.read("State Message")
    expect(person.page.get_by_text("smtp/main accepted <").first).to_be_visible()


def _mistype_the_password(client: SyncPrefectClient) -> None:
    """Save what a person may save; its check fails."""
    document = client.read_block_document_by_name("main", "smtp")
    changes = BlockDocumentUpdate(data={"password": "mistyped"}, merge_existing_data=True)
    client.update_block_document(document.id, changes)
    wait_for(lambda: _checks(client, "Failed"))


def _checks(client: SyncPrefectClient, state: str) -> list[FlowRun]:
    runs = client.read_flow_runs(flow_filter=FlowFilter(name=FlowFilterName(any_=["check-relay"])))
    return [run for run in runs if (run.name, run.state_name) == ("check smtp/main", state)]


def _correct_the_block(person: Person) -> None:
    person.go_to("Runs")
    person.click_run("check smtp/main", "Failed")
    person.click("Details", "tab")
    message = person.read("State Message")
    expect(person.page.get_by_text("*Password*").first).to_be_visible()
    person.picture("start-red.png", until=message.locator("xpath=.."))
    person.go_to("Blocks")
    person.click("main")
    person.page.locator(person.menu_button).last.click()
    person.click("Edit", "menuitem")
    person.type_into("Password", _PASSWORD)
    person.seen.append("Save")
    person.save_edits()
