"""What the blocks share: clean input; and the relay blocks: a way to the transport."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import deepcopy
from functools import cache
from typing import Annotated, Any, ClassVar, NoReturn

from prefect.blocks.core import Block, schema_extra
from pydantic import (
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    SerializationInfo,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from prefect_smtp_relay.exceptions import InvalidField, RelayConfigurationError, nearest
from prefect_smtp_relay.settings.errors import configuration_error
from prefect_smtp_relay.transports.base import Transport
from prefect_smtp_relay.transports.check_report import Report

_MASK = "********"


def without_defaults(schema: dict[str, Any], model: type[Block]) -> None:
    """Leave the defaults out of what a form is drawn from; the help texts say them.

    Once Prefect's V2 interface has drawn any form, it opens the next with the defaults in place of
    what is saved, and saves them.
    """
    schema_extra(schema, model)
    for field in schema["properties"].values():
        field.pop("default", None)


def _as_chosen(value: bool, info: SerializationInfo) -> bool | str:
    """Save what the form's choice shows; anywhere else it stays a boolean."""
    is_saved = bool(info.context and info.context.get("include_secrets"))
    return ("on" if value else "off") if is_saved else value


OnByDefault = Annotated[
    bool,
    WithJsonSchema({"type": "string", "enum": ["on", "off"]}),
    PlainSerializer(_as_chosen),
]
"""A switch that is on where nothing is saved: a form without defaults would draw it as off.

So the form has a choice, and an empty one is the default.
"""


MessagesPerMinute = Annotated[
    int,
    Field(
        ge=0,
        title="Advanced: Messages per minute",
        description="How many messages all workers together submit in any minute. Empty: no limit.",
    ),
]
"""A field of each relay block."""


class CleanBlock(Block, ABC):
    """A block that takes an empty value for a missing one, and refuses misspelt fields."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        hide_input_in_errors=True,
        validate_default=False,
        json_schema_extra=without_defaults,
    )

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """Make the schema once: to save one block, Prefect asks for it at each of its fields."""
        return deepcopy(_schema_of(cls, args, tuple(options.items())))

    @model_validator(mode="before")
    @classmethod
    def _clean(cls, values: Any) -> Any:
        """Take empty, None and missing as the same, and refuse misspelt names."""
        if not isinstance(values, dict):
            return values
        cls._refuse_unknown(values)
        kept = {name: value for name, value in values.items() if not _is_empty(value)}
        for name, field in cls.model_fields.items():
            if field.is_required():
                kept.setdefault(name, "")
        return kept

    @classmethod
    def _refuse_unknown(cls, values: dict[str, Any]) -> None:
        for name in values:
            if name in cls.model_fields or name == "block_type_slug" or name.startswith("_"):
                continue
            near = nearest(name, cls.model_fields)
            fix = f"Did you mean {near!r}?" if near else "Remove it."
            raise InvalidField(f"{cls.__name__} has no such field", fix, field=name)


@cache
def _schema_of(model: type[CleanBlock], args: Any, options: Any) -> dict[str, Any]:
    return super(CleanBlock, model).model_json_schema(*args, **dict(options))


class RelayBlock(CleanBlock, ABC):
    """A relay that a team connected, stored as a Prefect block document."""

    @property
    def relay_name(self) -> str:
        """``smtp/NAME``; without the name while the block is not saved."""
        slug, name = self.get_block_type_slug(), self._block_document_name
        return f"{slug}/{name}" if name else slug

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: a delayed task's parameters are stored as they are, in clear."""
        name = self.relay_name if self._block_document_name else f"{self.relay_name}/NAME"
        raise RelayConfigurationError(
            f"the block {self.relay_name} would be pickled with its secrets",
            f"Save it, and pass relay={name!r} to tasks that run elsewhere.",
            field="relay",
        )

    @property
    @abstractmethod
    def transport_name(self) -> str:
        """The transport's loggable name, which asks for no secret."""

    @abstractmethod
    def get_transport(self) -> Transport:
        """Build the transport that the fields describe, with the secrets as they are now.

        Raises:
            RelayConfigurationError: a secret that is in a file or variable cannot be read.
        """

    @abstractmethod
    def check(self, sender: str | None = None) -> Report:
        """Go every step to the relay but the message itself, and say what to change.

        Args:
            sender: the From mailbox to try; by default the block's own.

        Returns:
            The steps. What the relay does not take is a failed step, not an exception.

        Raises:
            InvalidMailbox: the sender is not a mailbox.
        """

    @abstractmethod
    def sender_before_default(self) -> str:
        """The From mailbox that goes before the setting ``default_from``, or empty."""

    @abstractmethod
    def limits_over_all_workers(self) -> tuple[int, int]:
        """Messages a minute, and connections at once; 0 where there is no limit."""

    def bounces_to(self) -> str:
        """The reverse-path of mails that name none, or empty for their sender."""
        return ""

    def sender_after_default(self) -> str:
        """The From mailbox of last resort, or empty."""
        return ""


def _is_empty(value: Any) -> bool:
    if isinstance(value, SecretStr):
        return not value.get_secret_value()
    return value is None or (isinstance(value, str) and not value.strip())


def refuse_masked(value: Any) -> Any:
    """Refuse what an API client or the UI shows in place of a secret.

    Args:
        value: a secret, or text that is treated as one; anything else passes.

    Raises:
        InvalidField: the value is the mask itself.
    """
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if text == _MASK:
        raise InvalidField(
            "has asterisks in place of the secret",
            "Enter it again, or use an API key that may read secrets.",
        )
    return value


def priority_help(kind: str) -> str:
    """The help text of the field ``priority`` of a block type."""
    return (
        f"Where several {kind} blocks are connected, the highest number takes every mail; among"
        " equal numbers, the oldest block. The next one takes over after a failure only where the"
        " setting failover is on. Empty: 0."
    )


def title(block: type[CleanBlock], name: str) -> str:
    """Name a field as its form does, and as code does: ``*Force STARTTLS* (`enable_starttls`)``."""
    field = block.model_fields.get(name)
    return f"*{field.title}* (`{name}`)" if field else name


def wrong_fields(
    block: type[CleanBlock], error: ValidationError, only: str = ""
) -> RelayConfigurationError:
    """Say which fields of a block, or that it is the only one, are wrong and how to fix them."""
    return configuration_error(error, lambda name: title(block, name), only)
