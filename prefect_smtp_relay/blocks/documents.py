"""A block document that connects a relay: read, ordered, checked; asking for it is elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from prefect_smtp_relay.blocks.base import title, wrong_fields
from prefect_smtp_relay.blocks.relays import RELAY_BLOCKS, RelayBlock
from prefect_smtp_relay.exceptions import RelayConfigurationError, UnknownRelay
from prefect_smtp_relay.transports.masking import mask

_BY_SLUG = {block.get_block_type_slug(): block for block in RELAY_BLOCKS}

SLUGS = list(_BY_SLUG)
"""Of the block types that connect a relay, in the order of choice."""


@dataclass(frozen=True)
class Connected:
    """One connected block document, not yet known to be valid.

    Args:
        slug: ``smtp`` or ``sendgrid``.
        document_name: the document's name.
        data: its fields, secrets included: never to be printed.
        created: when it was first saved.
    """

    slug: str
    document_name: str
    data: dict[str, Any]
    created: datetime

    def __repr__(self) -> str:
        return f"Connected({self.name!r})"

    @property
    def name(self) -> str:
        """``smtp/NAME``."""
        return f"{self.slug}/{self.document_name}"

    @property
    def block_type(self) -> type[RelayBlock]:
        """`SMTP` or `SendGrid`."""
        return _BY_SLUG[self.slug]

    @property
    def priority(self) -> int:
        """The field ``priority``, before the document as a whole is checked.

        Raises:
            RelayConfigurationError: it is not a whole number, so that the choice is unknown.
        """
        value = self.data.get("priority")
        if value is None or value == "":
            return 0
        try:
            return int(value)
        except (TypeError, ValueError):
            raise RelayConfigurationError(
                "is not a whole number",
                "Set it in the block document.",
                field=f"{self.name}: {title(self.block_type, 'priority')}",
            ) from None

    def load(self) -> RelayBlock:
        """Check the document and make its block.

        Raises:
            RelayConfigurationError: naming the document, the field and the fix.
        """
        try:
            block = self.block_type.model_validate(self.data)
        except ValidationError as error:
            raise wrong_fields(self.block_type, error).within(self.name) from None
        block._block_document_name = self.document_name  # noqa: SLF001  # Prefect's documented place for it
        return block


def in_order(relays: list[Connected]) -> list[Connected]:
    """Sort relays: SMTP first, the higher priority, the older document, then the name.

    Raises:
        RelayConfigurationError: a priority is unreadable that may decide who takes the mail: one
            of the type that goes first. Another one comes last among its type.
    """
    first = min((SLUGS.index(relay.slug) for relay in relays), default=0)

    def rank(relay: Connected) -> tuple[int, float, datetime, str]:
        number = SLUGS.index(relay.slug)
        try:
            priority: float = relay.priority
        except RelayConfigurationError:
            if number == first:
                raise
            priority = -math.inf
        return number, -priority, relay.created, relay.document_name

    return sorted(relays, key=rank)


def split_name(name: str) -> tuple[str, str]:
    """Split ``smtp/NAME`` into the block type's slug and the document's name.

    Raises:
        UnknownRelay: it does not have this form.
    """
    slug, _, document_name = name.partition("/")
    if slug not in _BY_SLUG or not document_name:
        raise UnknownRelay(
            f"{mask(name)!r} is not a relay",
            "Use smtp/NAME, sendgrid/NAME or outbox, or pass a block.",
            field="relay",
        )
    return slug, document_name
