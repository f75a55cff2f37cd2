"""Mailboxes with values in them: one entry may expand to several, or to none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from prefect_smtp_relay.exceptions import InvalidMailbox
from prefect_smtp_relay.mail.left_out import LeftOut
from prefect_smtp_relay.mail.mailbox import AddressInput, Mailbox, entries, items
from prefect_smtp_relay.rendering.values import MAX_TEXT_BYTES, PLACEHOLDER, Values
from prefect_smtp_relay.templating.context import Record
from prefect_smtp_relay.templating.places import Kept
from prefect_smtp_relay.templating.template import fill

_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>\s*")
_SEPARATORS = re.compile(r'[,;<>"\s]')


def fill_recipients(
    value: AddressInput,
    context: Record,
    field: str,
    max_bytes: int = MAX_TEXT_BYTES,
    left_out: LeftOut | None = None,
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
        left_out: takes the values that are not mailboxes; without it they are errors.

    Raises:
        InvalidTemplate: a template cannot be filled in.
        InvalidMailbox: what comes out is not a mailbox.
    """
    values, left_out = Values(), left_out or LeftOut(refuses=True)
    filled = [
        fill(item, context, Kept(values), field, max_bytes) if isinstance(item, str) else item
        for item in items(value, field)
    ]
    return [m for entry in entries(filled, field) for m in _expand(entry, values, field, left_out)]


def _expand(
    entry: str | Mailbox, values: Values, field: str, left_out: LeftOut
) -> Iterator[str | Mailbox]:
    if not isinstance(entry, str):
        yield entry  # a mailbox; anything else is refused where every list is read
        return
    entry = PLACEHOLDER.sub(partial(_without_empty, values), entry)
    if PLACEHOLDER.fullmatch(entry.strip()):
        yield from left_out.mailboxes(values.fill(entry.strip()), field)
    elif named := _NAMED.fullmatch(entry):
        name = values.fill(named["name"].strip().removeprefix('"').removesuffix('"'))
        name = " ".join(left_out.clean(name, field).split())
        for mailbox in _one(named["address"], values, field, left_out):
            yield replace(mailbox, display_name=name)
    elif PLACEHOLDER.search(entry):
        yield from _one(entry, values, field, left_out)
    else:
        yield entry


def _without_empty(values: Values, found: re.Match[str]) -> str:
    return found.group() if values.fill(found.group()) else ""


def _one(entry: str, values: Values, field: str, left_out: LeftOut) -> Iterator[Mailbox]:
    """Read one address, or none; a value must not make two of it."""
    address = values.fill(entry).strip()
    if not address:
        return
    if not PLACEHOLDER.search(entry):
        yield Mailbox.parse(address, field)
    elif found := _SEPARATORS.search(address):
        left_out.leave_out(
            InvalidMailbox(
                f"{address!r} is not one e-mail address: it contains {found.group()!r}",
                "Pass the address alone as a value.",
                field=field,
            )
        )
    else:
        yield from left_out.mailbox(address, field)
