"""The fields of a block: as the form, the variables, the command line and the code know them."""

from __future__ import annotations

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
    if not issubclass(block, RelayBlock):
        return table(
            ["field", "default", "what it does"],
            (
                [_names(name, field), _default(field), field.description or ""]
                for name, field in block.model_fields.items()
            ),
        )
    return table(
        ["field", "variable, option", "default", "what it does"],
        (
            [_names(name, field), _ways(block, name), _default(field), field.description or ""]
            for name, field in block.model_fields.items()
        ),
    )


def _names(name: str, field: FieldInfo) -> str:
    return f"**{field.title}**<br>{code(name)}"


def _ways(block: type[RelayBlock], name: str) -> str:
    ways = [code(variable(block, name))]
    if name in _OPTIONS[block]:
        ways.append(code(f"--{name.replace('_', '-')}"))
    return "<br>".join(ways)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default: Any = field.get_default(call_default_factory=True, validated_data={})
    value = default.get_secret_value() if isinstance(default, Secret | SecretStr) else default
    if isinstance(value, bool):
        return "on" if value else "off"
    return code(value) if value or value == 0 else "empty"
