"""``disconnect``: deletes a relay's block document."""

from __future__ import annotations

from prefect_smtp_relay.blocks.documents import Connected
from prefect_smtp_relay.blocks.relays import RELAY_BLOCKS
from prefect_smtp_relay.cli.answer import Answer, Json, UsageError, show
from prefect_smtp_relay.cli.api import announce_api
from prefect_smtp_relay.cli.prompts import ask, is_interactive
from prefect_smtp_relay.delivery.next_mail import look_up
from prefect_smtp_relay.exceptions import UnknownRelay
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.runtime import connections as documents


def disconnect(relay: str, /, *, name: str | None = None, as_json: Json = False) -> int:
    """Delete a relay's block document, and say what the next mail will use.

    Args:
        relay: smtp or sendgrid, or one of several by its name: smtp/main.
        name: Of the block document; needed where several are connected.
        as_json: Print one JSON document.
    """
    kind, name = _kind_and_name(relay, name)
    announce_api()
    found = _choose(kind, name)
    documents.disconnect(found)
    next_mail = look_up()
    data = {"relay": found.name, "connected": False, "next_mail": next_mail.as_data()}
    lines = [f"Disconnected {found.name}.", next_mail.sentence]
    return show(Answer(data, lines), as_json=as_json)


def _kind_and_name(relay: str, name: str | None) -> tuple[str, str | None]:
    kind, slash, own_name = relay.partition("/")
    kinds = {block.get_block_type_slug() for block in RELAY_BLOCKS}
    if kind not in kinds or bool(slash) != bool(own_name):
        raise UsageError("Name the relay: smtp, smtp/NAME, sendgrid or sendgrid/NAME.")
    if name and own_name not in {"", name}:
        raise UsageError("The relay has a name already: leave out --name.")
    return kind, name or own_name or None


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
