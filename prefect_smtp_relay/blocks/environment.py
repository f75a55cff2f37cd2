"""Reads a block's fields from environment variables: SMTP_ADDRESS is the field address of SMTP."""

from __future__ import annotations

import os
from typing import get_origin

from prefect_smtp_relay.blocks.base import RelayBlock
from prefect_smtp_relay.exceptions import InvalidField


def fields_from_environment(block: type[RelayBlock]) -> dict[str, str | list[str]]:
    """Collect the variables that name fields.

    Args:
        block: the block type; its slug in capitals begins each variable.

    Raises:
        InvalidField: Kubernetes has set one of them.
    """
    fields: dict[str, str | list[str]] = {}
    named = {os.environ.get(variable(block, name)) for name in block.model_fields if _names(name)}
    for name, field in block.model_fields.items():
        text = os.environ.get(variable(block, name))
        # SMTP_PASSWORD_VARIABLE=SMTP_PASSWORD: its content is not wanted here.
        if text is None or variable(block, name) in named:
            continue
        if field.annotation is int and "://" in text:
            raise InvalidField(
                f"is {text!r}: Kubernetes sets it so, for a service named"
                f" {block.get_block_type_slug()}",
                "Rename that service, or set enableServiceLinks: false in the pod and the variable"
                " to a number.",
                field=variable(block, name),
            )
        fields[name] = _split_commas(text) if get_origin(field.annotation) is list else text
    return fields


def document_name_from_environment(block: type[RelayBlock]) -> str:
    """The variable SMTP_BLOCK_NAME or SENDGRID_BLOCK_NAME, or empty."""
    return os.environ.get(variable(block, "block_name"), "").strip()


def variable(block: type[RelayBlock], name: str) -> str:
    """The variable of a field: ``SMTP_PORT``."""
    return f"{block.get_block_type_slug()}_{name}".upper()


def _names(field: str) -> bool:
    """Whether a field is the name of a variable."""
    return field.endswith("_variable")


def _split_commas(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
