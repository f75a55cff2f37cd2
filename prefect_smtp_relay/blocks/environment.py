"""Reads a block's fields from environment variables: SMTP_ADDRESS is the field address of SMTP."""

from __future__ import annotations

import os
from typing import get_origin

from prefect_smtp_relay.blocks.base import RelayBlock


def fields_from_environment(block: type[RelayBlock]) -> dict[str, str | list[str]]:
    """Collect the variables that name fields.

    Args:
        block: the block type; its slug in capitals begins each variable.
    """
    return {
        name: _split_commas(text) if get_origin(field.annotation) is list else text
        for name, field in block.model_fields.items()
        if (text := os.environ.get(variable(block, name))) is not None
    }


def document_name_from_environment(block: type[RelayBlock]) -> str:
    """The variable SMTP_BLOCK_NAME or SENDGRID_BLOCK_NAME, or empty."""
    return os.environ.get(variable(block, "block_name"), "").strip()


def variable(block: type[RelayBlock], name: str) -> str:
    """The variable of a field: ``SMTP_PORT``."""
    return f"{block.get_block_type_slug()}_{name}".upper()


def _split_commas(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
