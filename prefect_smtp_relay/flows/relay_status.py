"""The flow ``relay-status``: what `prefect-smtp-relay status` says, in Prefect's UI."""

from __future__ import annotations

from collections.abc import Iterator

from prefect import State, flow
from prefect.states import Completed

from prefect_smtp_relay.delivery.next_mail import NextMail, look_up
from prefect_smtp_relay.delivery.outbox_state import OutboxState, look_into_outbox
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.flows.ending import failed
from prefect_smtp_relay.flows.form_titles import quote_with_titles
from prefect_smtp_relay.rendering.quoting import escape_markdown
from prefect_smtp_relay.runtime.artifacts import leave_markdown
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.transports.masking import mask

_MAX_ENTRIES = 20


@flow(name="relay-status")
def relay_status() -> State[None]:
    """Show which relay takes the next mail, and why, and what waits in the outbox.

    Returns:
        Failed where a wrong block makes the next mail fail. An artifact of the run has the rest.
    """
    try:
        next_mail, outbox = look_up(), look_into_outbox(current_settings())
    except EmailError as error:
        return failed(error)
    leave_markdown("relay-status", _describe(next_mail, outbox), "Where the next mail goes")
    text = f"{next_mail.text} {outbox.text}"
    if next_mail.fails:
        return failed(text)
    run_logger().info("%s", text)
    return Completed(message=text)


def _describe(next_mail: NextMail, outbox: OutboxState) -> str:
    return "\n".join((*_relays(next_mail), *_outbox(outbox)))


def _relays(next_mail: NextMail) -> Iterator[str]:
    yield f"# {quote_with_titles(next_mail.sentence)}\n"
    if next_mail.why:
        yield f"Why: {escape_markdown(next_mail.why)}.\n"
    if next_mail.relays:
        yield "| Relay | The next mail | What it is |\n|-|-|-|"
    for each in next_mail.relays:
        cells = (each.name, next_mail.turn_of(each), each.text)
        yield f"| {' | '.join(map(quote_with_titles, cells))} |"


def _outbox(outbox: OutboxState) -> Iterator[str]:
    yield f"\n## {escape_markdown(outbox.text)}\n"
    yield f"It is the outbox where this run was: {escape_markdown(outbox.place)}.\n"
    entries = outbox.entries or ()
    if entries:
        yield "| Since (UTC) | Subject | Why it waits |\n|-|-|-|"
    for each in entries[:_MAX_ENTRIES]:
        cells = (f"{each.stored_at:%Y-%m-%d %H:%M}", each.subject, each.error or each.reason)
        yield f"| {' | '.join(escape_markdown(mask(cell)) for cell in cells)} |"
    if len(entries) > _MAX_ENTRIES:
        yield f"\nand {len(entries) - _MAX_ENTRIES} more."
    if entries:
        yield "\nTo submit them, run flush-outbox, which `prefect-smtp-relay init` deploys."
