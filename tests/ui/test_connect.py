"""A relay is connected, edited and deleted in the UI, and the same flow follows."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect
from prefect import flow

from prefect_smtp_relay import Receipt, send_an_email
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.fixtures import PASSWORD, USERNAME
from prefect_smtp_relay.testing.mail_server import MailServer

from .interfaces import V2, FieldInput, Interface

MASK = "********"
PICTURE = Path(__file__).parents[2] / "docs" / "images" / "connect-smtp-in-the-ui.png"
LARGEST_PICTURE = 150_000


@flow
def notify() -> Receipt:
    """A flow that knows nothing of relays."""
    return send_an_email("ann@example.org", "Disk full", "The disk of **db-1** is full.")


def _values(mail_server: MailServer, certificates: Certificates) -> dict[str, FieldInput]:
    """What a person fills in for a submission server; something of every kind of field."""
    return {
        "Address": mail_server.host,
        "Port": str(mail_server.port),
        "Username": USERNAME,
        "Password": PASSWORD,
        "Authentication": "login",
        "Force STARTTLS": True,
        "SSL": "off",
        "Verify certificate": "peer",
        "From address": "Incidents <incidents@example.org>",
        "Advanced: CA certificate": certificates.ca_pem,
    }


def test_the_same_flow_follows_what_is_saved_in_the_ui(
    ui: Interface,
    mail_server: MailServer,
    certificates: Certificates,
    in_own_thread: Callable[[Callable[[], Receipt]], Receipt],
    outbox_path: Path,
) -> None:
    """Saved, edited and deleted in the UI: the next run of the unchanged flow goes by it."""
    ui.create("smtp", "from-the-ui", _values(mail_server, certificates))
    expect(ui.page.locator("body")).to_contain_text(MASK)
    assert PASSWORD not in ui.page.content()
    assert in_own_thread(notify).relay == "smtp/from-the-ui"
    first = mail_server.mails[-1]
    assert (first.encrypted, first.mechanism, first.username) == (True, "LOGIN", USERNAME)
    assert first.message["From"] == "Incidents <incidents@example.org>"

    ui.open_editor()
    expect(ui.control_of("Port")).to_have_value(str(mail_server.port))
    assert {ui.shown_in(title) for title in ("Address", "Username", "Password")} == {MASK}
    ui.fill_in({"From address": "ops@example.org"})
    ui.save_edits()
    in_own_thread(notify)
    second = mail_server.mails[-1]
    assert second.message["From"] == "ops@example.org"
    assert (second.mechanism, second.username) == ("LOGIN", USERNAME)

    ui.delete()
    assert in_own_thread(notify).outcome == "stored"
    assert len(mail_server.mails) == 2
    assert list(outbox_path.rglob("*.eml"))


@pytest.mark.parametrize("ui", [V2], indirect=True, ids=["V2"])
def test_the_picture_of_the_form_can_be_taken_anew(ui: Interface, tmp_path: Path) -> None:
    """With ``UPDATE_PICTURES=1`` it is written to docs/images; a small file shows the form."""
    ui.open_form("smtp")
    ui.name_document("main")
    ui.fill_in(
        {
            "Address": "smtp.example.org",
            "Username": "incidents@example.org",
            "Password": "an app password",
            "Force STARTTLS": True,
            "SSL": "off",
            "Verify certificate": "peer",
            "From address": "Incidents <incidents@example.org>",
        }
    )
    path = PICTURE if os.environ.get("UPDATE_PICTURES") else tmp_path / PICTURE.name
    ui.take_picture("From address", path)
    assert path.stat().st_size < LARGEST_PICTURE
    assert PICTURE.is_file()
