"""``send``: one real mail, with its receipt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from prefect_smtp_relay.cli.answer import DONE, PROBLEM, Answer, Json, show
from prefect_smtp_relay.cli.api import announce_api
from prefect_smtp_relay.cli.fields import refuse_malformed
from prefect_smtp_relay.compose.options import MailArguments
from prefect_smtp_relay.delivery.deliver import deliver_once
from prefect_smtp_relay.delivery.routing import OUTBOX
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.settings import current_settings

_BODY = "This mail was sent by `prefect-smtp-relay send`, to show that the relay takes mail."


def send(
    to: str,
    /,
    *,
    subject: str = "Test mail",
    body: str = _BODY,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    attach: Annotated[list[Path] | None, Parameter(negative="")] = None,
    relay: str | None = None,
    as_json: Json = False,
) -> int:
    """Send one mail at once, without retries, and show its receipt. A failed one is not stored.

    Args:
        to: The recipients, with commas between them.
        subject: One line.
        body: Markdown.
        from_: The sender; by default the relay's own.
        attach: A file to attach. Can be repeated.
        relay: smtp/NAME, sendgrid/NAME or outbox; by default the one that takes the next mail.
        as_json: Print one JSON document.
    """
    is_to_be_stored = relay == OUTBOX
    if relay is not None and not is_to_be_stored:
        refuse_malformed(relay)
    announce_api()
    wanted: MailArguments = {"to": to, "subject": subject, "body": body, "from_": from_}
    receipt = deliver_once({**wanted, "attachments": attach}, relay, current_settings()).get()
    return show(_answer(receipt, is_to_be_stored=is_to_be_stored), as_json=as_json)


def _answer(receipt: Receipt, *, is_to_be_stored: bool) -> Answer:
    data = receipt.model_dump(mode="json")
    if is_to_be_stored:
        return Answer(data, [f"As asked, the mail was {receipt.response}."])
    if receipt.outcome == "stored":
        text = f"No relay took the mail: it was {receipt.response}."
        return Answer(data, complaints=[text], code=PROBLEM)
    lines = [
        f"{receipt.relay} accepted {receipt.message_id}",
        f"  for         {', '.join(receipt.accepted)}",
        f"  transport   {receipt.transport}",
        f"  response    {receipt.response}",
    ]
    if receipt.provider_id:
        lines.append(f"  its own id  {receipt.provider_id}")
    complaints = [f"{address} was refused: {why}" for address, why in receipt.refused.items()]
    return Answer(data, lines, complaints, PROBLEM if complaints else DONE)
