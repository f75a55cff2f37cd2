"""Mailboxes with values in them: one entry may expand to several, or to none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from prefect_smtp_relay.exceptions import InvalidMailbox
from prefect_smtp_relay.mail.mailbox import AddressInput, Mailbox, entries, items
from prefect_smtp_relay.rendering.values import MAX_TEXT_BYTES, PLACEHOLDER, Values
from prefect_smtp_relay.templating.context import Record
from prefect_smtp_relay.templating.places import Kept
from prefect_smtp_relay.templating.template import fill

_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>\s*")
_SEPARATORS = re.compile(r'[,;<>"\s]')


def fill_recipients(
    value: AddressInput, context: Record, field: str, max_bytes: int = MAX_TEXT_BYTES
) -> list[str | Mailbox]:
    """Fill values into the ``to``, ``cc``, ``bcc``, ``reply_to`` or ``from_`` argument.

    An entry that is one value may expand to several mailboxes, with commas between them, or to
    none. In any other entry a value is a part of one mailbox: a display name is shown as typed,
    whatever is in it, and an address stays one.

    Args:
        value: as the caller wrote it.
        context: what the templates may name.
        field: the argument's name, for errors.
        max_bytes: of each filled text.

    Raises:
        InvalidTemplate: a template cannot be filled in.
        InvalidMailbox: what comes out is not a mailbox.
    """
    values = Values()
    filled = [
        fill(item, context, Kept(values), field, max_bytes) if isinstance(item, str) else item
        for item in items(value, field)
    ]
    return [m for entry in entries(filled, field) for m in _expand(entry, values, field)]


def _expand(entry: str | Mailbox, values: Values, field: str) -> Iterator[str | Mailbox]:
    if not isinstance(entry, str):
        yield entry  # a mailbox; anything else is refused where every list is read
        return
    entry = PLACEHOLDER.sub(partial(_without_empty, values), entry)
    if PLACEHOLDER.fullmatch(entry.strip()):
        yield from Mailbox.parse_list(values.fill(entry.strip()), field)
    elif named := _NAMED.fullmatch(entry):
        address = values.fill(named["address"]).strip()
        if address:
            name = values.fill(named["name"].strip().removeprefix('"').removesuffix('"'))
            yield replace(_one(address, field), display_name=" ".join(name.split()))
    elif text := values.fill(entry).strip():
        yield _one(text, field) if PLACEHOLDER.search(entry) else text


def _without_empty(values: Values, found: re.Match[str]) -> str:
    return found.group() if values.fill(found.group()) else ""


def _one(address: str, field: str) -> Mailbox:
    """Read one address; a value must not make two of it."""
    if found := _SEPARATORS.search(address):
        raise InvalidMailbox(
            f"{address!r} is not one e-mail address: it contains {found.group()!r}",
            "Pass the address alone as a value.",
            field=field,
        )
    return Mailbox.parse(address, field)
