"""Read a block's fields from environment variables."""

from __future__ import annotations

import os
import sys
from typing import get_origin

from prefect.blocks.core import Block
from pydantic import ValidationError

from prefect_smtp_relay.blocks.base import describe


def fields_from_environment(block: type[Block], prefix: str) -> dict[str, str | list[str]]:
    """Collect the variables that name fields: SMTP_ADDRESS is the field address of SMTP.

    Args:
        block: the block type.
        prefix: what its variables begin with, for example ``SMTP_``.
    """
    return {
        name: _split_commas(text) if get_origin(field.annotation) is list else text
        for name, field in block.model_fields.items()
        if (text := os.environ.get(f"{prefix}{name.upper()}")) is not None
    }


def connect_from_environment(block: type[Block], prefix: str) -> int:
    """Save a block document from the environment, and say what was done or is missing.

    Args:
        block: the block type.
        prefix: what its variables begin with; ``<prefix>BLOCK_NAME`` names the document.

    Returns:
        0, or 2 where a variable is missing or wrong.
    """
    fields = fields_from_environment(block, prefix)
    required = [name for name, field in block.model_fields.items() if field.is_required()]
    if missing := [f"{prefix}{name.upper()}" for name in required if not fields.get(name)]:
        print(f"Not connected: set {', '.join(missing)}.", file=sys.stderr)
        return 2
    try:
        relay = block(**fields)
    except ValidationError as error:
        print(f"Not connected: {describe(error)}.", file=sys.stderr)
        return 2
    name = os.environ.get(f"{prefix}BLOCK_NAME") or "default"
    try:
        relay.save(name, overwrite=True)
    except ValidationError as error:
        print(f"Not connected: {prefix}BLOCK_NAME: {describe(error)}.", file=sys.stderr)
        return 2
    variables = ", ".join(f"{prefix}{field.upper()}" for field in fields)
    print(f"Connected {block.get_block_type_slug()}/{name}, from {variables}.")
    return 0


def _split_commas(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
