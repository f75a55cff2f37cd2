"""The parameter ``relay`` of the flows that people start from a form."""

from __future__ import annotations

from prefect_smtp_relay.blocks.documents import Connected, in_order
from prefect_smtp_relay.exceptions import UnknownRelay
from prefect_smtp_relay.runtime import catalog

NEXT, ALL = "next", "all"


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
    if relay not in (NEXT, ALL, ""):
        return [catalog.find(relay)]
    relays = in_order(catalog.documents())
    if not relays:
        raise UnknownRelay(
            "no relay is connected",
            "Save an SMTP or a SendGrid block: in Prefect's UI, under Blocks.",
        )
    return relays if relay == ALL else relays[:1]
