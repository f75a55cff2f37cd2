"""What is saved survives the forms: opening one to edit and saving it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient

from prefect_smtp_relay import SMTP, SendAnEmail, SendGrid
from prefect_smtp_relay.blocks.base import CleanBlock
from prefect_smtp_relay.testing.certificates import Certificates, issue_certificates

from .interfaces import FieldInput, Interface

ELSEWHERE = {
    *("password", "password_file", "password_variable", "oauth_client_secret_file"),
    *("oauth_client_secret_variable", "oauth_refresh_token", "oauth_refresh_token_file"),
    *("api_key_file", "api_key_variable"),
}
"""Fields that cannot be filled in beside the others: a secret is in one place."""

KEY = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----"


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    """Issue what the fields for certificates take."""
    return issue_certificates()


@pytest.fixture(params=["smtp", "sendgrid", "send-an-email"])
def block(request: pytest.FixtureRequest, certificates: Certificates) -> CleanBlock:
    """Give a block of each type, in which each field differs from its default."""
    blocks: dict[str, CleanBlock] = {
        "smtp": SMTP(
            address="smtp.example.org",
            port=2525,
            username="ann@example.org",
            ssl=False,
            enable_starttls=True,
            enable_starttls_auto=False,
            ssl_verify_mode="peer",
            from_address="Incidents <incidents@example.org>",
            authentication="xoauth2",
            domain="host.example.org",
            reverse_path="bounces@example.org",
            priority=7,
            timeout_seconds=12.5,
            ca_certificate=certificates.ca_pem,
            tls_server_name="mx.example.org",
            client_certificate=certificates.ca_pem,
            client_key=KEY,
            allow_cleartext_auth=True,
            oauth_token_url="https://id.example.org/token",
            oauth_client_id="the application",
            oauth_client_secret="the client secret",
            oauth_refresh_token_variable="SMTP_OAUTH_REFRESH_TOKEN",
            oauth_scope="https://outlook.office365.com/.default",
            messages_per_minute=30,
            max_connections=3,
        ),
        "sendgrid": SendGrid(
            api_key="SG.canary",
            from_address="Incidents <incidents@example.org>",
            api_url="https://api.eu.sendgrid.com",
            sandbox_mode=True,
            categories=["incidents", "nightly"],
            priority=7,
            timeout_seconds=12.5,
            messages_per_minute=30,
        ),
        "send-an-email": SendAnEmail(
            to="On call <oncall@example.org>",
            include_header=False,
            include_footer=False,
            markdown=True,
        ),
    }
    return blocks[request.param]


def _saved(client: SyncPrefectClient, slug: str) -> dict[str, Any]:
    """What is saved; V1 leaves out an empty text."""
    document = client.read_block_document_by_name("saved", slug, include_secrets=True)
    return {name: value for name, value in document.data.items() if value != ""}


def test_opening_a_form_and_saving_it_changes_nothing(
    ui: Interface,
    client: SyncPrefectClient,
    block: CleanBlock,
    in_own_thread: Callable[[Callable[[], Any]], Any],
) -> None:
    """After another form, and without a reload, every field is saved as it was, secrets too."""
    slug = block.get_block_type_slug()
    in_own_thread(lambda: block.save("saved"))
    before = _saved(client, slug)
    assert slug == "send-an-email" or not set(type(block).model_fields) - set(before) - ELSEWHERE
    ui.open_form(slug)
    ui.open_document("saved")
    ui.open_editor()
    for name, field in type(block).model_json_schema()["properties"].items():
        if "enum" in field and name in block.model_fields_set:
            assert ui.shown_in(field["title"]) == before[name], name
    ui.save_edits()
    assert _saved(client, slug) == before
    loaded = in_own_thread(lambda: type(block).load("saved"))
    assert loaded.model_dump() == block.model_dump()


def test_an_edit_keeps_what_a_person_saved(ui: Interface, client: SyncPrefectClient) -> None:
    """What was filled in is unchanged after an edit of another field, as often as one likes."""
    filled: dict[str, FieldInput] = {
        "Address": "smtp.example.org",
        "Port": "2525",
        "Username": "ann@example.org",
        "Password": "canary-12",
        "Force STARTTLS": True,
    }
    choices: dict[str, FieldInput] = {
        "SSL": "off",
        "STARTTLS if offered": "off",
        "Advanced: Priority": "7",
    }
    ui.create("smtp", "saved", filled | choices)
    before = _saved(client, "smtp")
    assert before["ssl"] == before["enable_starttls_auto"] == "off"
    for sender in ("a@example.org", "b@example.org"):
        ui.open_editor()
        ui.fill_in({"From address": sender})
        ui.save_edits()
        assert _saved(client, "smtp") == before | {"from_address": sender}
