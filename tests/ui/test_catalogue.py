"""What the interfaces show of the block types before anything is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect
from prefect.blocks.core import Block
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from prefect_smtp_relay import SMTP, SendAnEmail, SendGrid
from prefect_smtp_relay.blocks.relays import RELAY_BLOCKS

from .interfaces import V2, FieldInput, Interface

BLOCKS: list[type[Block]] = [SMTP, SendGrid, SendAnEmail]


def _description(block: type[Block]) -> str:
    """The text as the interfaces draw it, without its Markdown."""
    return (block.get_description() or "").replace("`", "")


def _shown_at_first(ui: Interface, field: dict[str, Any]) -> FieldInput:
    """Nothing is filled in: the help texts say what an empty field means."""
    if "enum" in field:
        return ui.no_choice
    return "" if field["type"] != "boolean" else False


def test_the_catalogue_shows_every_block_type(ui: Interface) -> None:
    """After ``prefect block register`` each type is there, with its description."""
    ui.open_catalogue()
    for block in BLOCKS:
        card = ui.card(str(block._block_type_name))
        expect(card).to_contain_text(_description(block))
        expect(card).to_contain_text("Create")


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_a_type_s_page_describes_it_and_its_form_each_field(
    ui: Interface, block: type[Block]
) -> None:
    """Description, example and documentation; behind them titles, help texts, defaults, choices."""
    ui.open_block_type(block.get_block_type_slug())
    body = ui.page.locator("body")
    expect(body).to_contain_text(_description(block))
    expect(body).to_contain_text("send_an_email(" if block in RELAY_BLOCKS else "notify(")
    documentation = ui.page.get_by_role("link", name="Documentation")
    expect(documentation).to_have_attribute("href", str(block._documentation_url))
    ui.go_on_to_form()
    for field in block.model_json_schema()["properties"].values():
        expect(ui.field(field["title"])).to_contain_text(field["description"])
        if field["type"] != "array":
            assert ui.shown_in(field["title"]) == _shown_at_first(ui, field), field["title"]
        if "enum" in field:
            assert [*ui.choices_of(field["title"])][-len(field["enum"]) :] == field["enum"]


def test_a_search_for_mail_leads_to_the_types_of_relays(ui: Interface) -> None:
    """Both interfaces search the names of types alone; the one that is found names the others."""
    ui.open_catalogue()
    ui.search_catalogue("mail")
    expect(ui.card("SMTP")).to_have_count(0)
    expect(ui.card("Notification by Email")).to_contain_text("SMTP or SendGrid")


@pytest.mark.parametrize("ui", [V2], indirect=True, ids=["V2"])
def test_an_automation_s_action_reads_as_a_sentence(
    ui: Interface, client: SyncPrefectClient, in_own_thread: Callable[[Callable[[], Any]], Any]
) -> None:
    """V2 writes "Send a", the name of the block's type, and "using"."""
    block = SendAnEmail(to="oncall@example.org")
    document_id = in_own_thread(lambda: block.save("on-call"))
    trigger = EventTrigger(posture=Posture.Reactive, threshold=1)
    action = SendNotification(block_document_id=document_id, subject="s", body="b")
    automation = AutomationCore(name="tell", trigger=trigger, actions=[action])
    ui.open_automation(str(client.create_automation(automation)))
    expect(ui.page.get_by_text("Send a notification by email using")).to_be_visible()
    expect(ui.page.get_by_text("on-call")).to_be_visible()


def test_secrets_are_masked_while_they_are_typed_in_v2_only(ui: Interface) -> None:
    """V1 draws every block's secrets as plain text; once saved, both show asterisks only."""
    ui.open_form("smtp")
    kinds = {ui.control_of(title).get_attribute("type") for title in ("Username", "Password")}
    assert kinds == ({"password"} if isinstance(ui, V2) else {None})
