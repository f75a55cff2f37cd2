"""``disconnect``: deletes a relay's block document."""

from __future__ import annotations

from typing import Literal

from prefect_smtp_relay.blocks.documents import Connected
from prefect_smtp_relay.cli.answer import Answer, Json, UsageError, show
from prefect_smtp_relay.cli.api import announce_api
from prefect_smtp_relay.cli.prompts import ask, is_interactive
from prefect_smtp_relay.delivery.next_mail import look_up
from prefect_smtp_relay.exceptions import UnknownRelay
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.runtime import connections as documents


def disconnect(
    kind: Literal["smtp", "sendgrid"], /, *, name: str | None = None, as_json: Json = False
) -> int:
    """Delete a relay's block document, and say what the next mail will use.

    Args:
        kind: The type of the block.
        name: Of the block document; needed where several are connected.
        as_json: Print one JSON document.
    """
    announce_api()
    relay = _choose(kind, name)
    documents.disconnect(relay)
    next_mail = look_up()
    data = {"relay": relay.name, "connected": False, "next_mail": next_mail.as_data()}
    lines = [f"Disconnected {relay.name}.", next_mail.sentence]
    return show(Answer(data, lines), as_json=as_json)


def _choose(kind: str, name: str | None) -> Connected:
    found = {r.document_name: r for r in catalog.documents() if r.slug == kind}
    names = ", ".join(sorted(found))
    if not found:
        raise UnknownRelay(
            f"there is no {kind} block to disconnect", "`prefect-smtp-relay status` lists them."
        )
    if name is None and len(found) > 1:
        if not is_interactive():
            raise UsageError(f"--name: several {kind} blocks are connected ({names}); name one.")
        name = ask(f"Which {kind} block ({names})")
    name = name or next(iter(found))
    if name not in found:
        raise UnknownRelay(f"there is no block {kind}/{name}", f"Connected: {names}.")
    return found[name]
