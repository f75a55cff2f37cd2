"""The fields of a block: as the form, the variables, the command line and the code know them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from prefect.blocks.core import Block
from pydantic import Secret, SecretStr
from pydantic.fields import FieldInfo

from prefect_smtp_relay.blocks.environment import variable
from prefect_smtp_relay.blocks.relays import SMTP, RelayBlock, SendGrid
from prefect_smtp_relay.cli.fields import SendGridFields, SmtpFields
from reference.tables import code, table

_OPTIONS = {
    SMTP: {field.name for field in fields(SmtpFields)},
    SendGrid: {field.name for field in fields(SendGridFields)},
}


def table_of_fields(block: type[Block]) -> str:
    """One row a field, in the order of the form."""
    ways = ", variable, option" if issubclass(block, RelayBlock) else ""
    rows = (
        ["<br>".join(_names(block, name, field)), _default(field), field.description or ""]
        for name, field in block.model_fields.items()
    )
    return table([f"title, name{ways}", "default", "what it does"], rows)


def _names(block: type[Block], name: str, field: FieldInfo) -> Iterator[str]:
    yield f"**{field.title}**"
    yield code(name)
    if issubclass(block, RelayBlock):
        yield code(variable(block, name))
        if name in _OPTIONS[block]:
            yield code(f"--{name.replace('_', '-')}")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default: Any = field.get_default(call_default_factory=True, validated_data={})
    value = default.get_secret_value() if isinstance(default, Secret | SecretStr) else default
    if isinstance(value, bool):
        return "on" if value else "off"
    return code(value) if value or value == 0 else "empty"
