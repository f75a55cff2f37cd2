"""What the interfaces show of the block types before anything is saved."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect
from prefect.blocks.core import Block

from prefect_smtp_relay import SMTP, SendAnEmail, SendGrid

from .interfaces import V2, FieldInput, Interface

BLOCKS: list[type[Block]] = [SMTP, SendGrid, SendAnEmail]


def _description(block: type[Block]) -> str:
    """The text as the interfaces draw it, without its Markdown."""
    return (block.get_description() or "").replace("`", "")


def _shown_at_first(field: dict[str, Any]) -> FieldInput:
    default = field.get("default", "")
    return default if isinstance(default, bool) else str(default)


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
    expect(body).to_contain_text(f"from prefect_smtp_relay import {block.__name__}")
    documentation = ui.page.get_by_role("link", name="Documentation")
    expect(documentation).to_have_attribute("href", str(block._documentation_url))
    ui.go_on_to_form()
    for field in block.model_json_schema()["properties"].values():
        expect(ui.field(field["title"])).to_contain_text(field["description"])
        if field["type"] != "array":
            assert ui.shown_in(field["title"]) == _shown_at_first(field), field["title"]
        if "enum" in field:
            assert ui.choices_of(field["title"]) == field["enum"]


def test_secrets_are_masked_while_they_are_typed_in_v2_only(ui: Interface) -> None:
    """V1 draws every block's secrets as plain text; once saved, both show asterisks only."""
    ui.open_form("smtp")
    kinds = {ui.control_of(title).get_attribute("type") for title in ("Username", "Password")}
    assert kinds == ({"password"} if isinstance(ui, V2) else {None})
