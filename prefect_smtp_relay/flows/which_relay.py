"""The parameter ``relay`` of the flows that people start from a form."""

from __future__ import annotations

from prefect_smtp_relay.blocks.documents import Connected, in_order, split_name
from prefect_smtp_relay.exceptions import UnknownRelay
from prefect_smtp_relay.runtime import catalog

NEXT, ALL = "next", "all"

_FIX = "Write smtp/NAME or sendgrid/NAME, with the block's name, or next."


def chosen_relays(relay: str) -> list[Connected]:
    """Ask for the relays that a form names.

    Args:
        relay: ``smtp/NAME``, ``sendgrid/NAME``, ``next`` for the one that takes the next mail, or
            ``all``.

    Returns:
        At least one.

    Raises:
        UnknownRelay: nothing of that name, or nothing at all is connected.
        EmailError: the Prefect API could not be asked, or cannot say which one is next.
    """
    wanted = None if relay == ALL else named_relay(relay)
    if wanted:
        return [catalog.find(wanted)]
    relays = in_order(catalog.documents())
    if not relays:
        raise UnknownRelay(
            "no relay is connected",
            "Save an SMTP or a SendGrid block: in Prefect's UI, under Blocks.",
        )
    return relays if relay == ALL else relays[:1]


def named_relay(relay: str) -> str | None:
    """Read the name of one relay as somebody typed it into a form.

    Args:
        relay: ``smtp/NAME``, ``sendgrid/NAME``, or ``next``.

    Returns:
        The name; None for the relay that takes the next mail.

    Raises:
        UnknownRelay: it is neither; a block's name alone, for example.
    """
    name = relay.strip()
    if name in (NEXT, ""):
        return None
    try:
        split_name(name)
    except UnknownRelay as error:
        raise UnknownRelay(error.problem, _FIX, field=error.field) from error
    return name
