"""Mail that was stored before, handed to the relay that is connected now."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial

from prefect_smtp_relay.compose.staging import check_recipients, redirect
from prefect_smtp_relay.delivery import outcome
from prefect_smtp_relay.delivery.keys import Keys, content_of, note_repeat
from prefect_smtp_relay.delivery.mail_key import MailKey
from prefect_smtp_relay.delivery.pacing import MAX_WAIT_SECONDS
from prefect_smtp_relay.delivery.routing import Relay, choose_relay, open_outbox
from prefect_smtp_relay.delivery.slots import Slots
from prefect_smtp_relay.exceptions import EmailError, ReceiptLookupFailed
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.mail.sender import SenderPolicy
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.transports.outbox import FlushReport


def flush(
    settings: SmtpRelaySettings,
    ids: Collection[str] = (),
    *,
    only_due: bool = False,
    among: Collection[str] | None = None,
) -> FlushReport:
    """Submit what is in the outbox through the relay that is connected.

    Args:
        settings: name the outbox.
        ids: only these entries; empty for all but those that may have been accepted.
        only_due, among: as for `Outbox.flush`.

    Raises:
        EmailError: the outbox itself failed, or the Prefect API could not be asked.
    """
    outbox = open_outbox(settings)
    if ids:  # whoever names a mail has looked for it in the relay's log
        settings = settings.model_copy(update={"unknown_outcome": "retry"})
    waiting = outbox.count()
    if waiting and catalog.preferred() is None:
        text = (
            f"No relay is connected: {waiting} left in the outbox. Save an SMTP or a SendGrid"
            " block, then run this again."
        )
        return FlushReport(remaining=waiting, stopped=text)
    return outbox.flush(partial(resubmit, settings=settings), ids, only_due=only_due, among=among)


def resubmit(message: Message, envelope: Envelope, settings: SmtpRelaySettings) -> Receipt:
    """Deliver what the outbox held; the relay decides on a From that the action did not name.

    Returns:
        What became of it; or the receipt of a later call with its key, and nothing was submitted.

    Raises:
        EmailError: it stays in the outbox.
    """
    if not message.idempotency_key:
        return _submit(message, envelope, settings)
    with Keys(settings, connections=1) as keys:
        key = MailKey(message)
        if before := _accepted_before(key, keys, message):
            return before
        try:
            key.check()
            receipt = _submit(message, envelope, settings)
            key.record(receipt)
        except EmailError as error:
            key.give_back(error)
            raise
        finally:
            key.close(is_begun=True)
        return receipt


def _accepted_before(key: MailKey, keys: Keys, message: Message) -> Receipt | None:
    """Claim the key of a mail that was given up, unless a later call with it has a receipt."""
    if (found := key.claim(keys)) is None:
        return None
    if found.receipt is None:
        raise ReceiptLookupFailed(
            f"{found.process} submits the mail of this key now",
            "Nothing was submitted. Flush again when that has ended.",
            field="idempotency_key",
        )
    if found.receipt.outcome == "stored" and found.receipt.message_id == message.message_id:
        return None  # what it says is stored is this
    note_repeat(found.receipt, same=found.content == content_of(message))
    return found.receipt


def _submit(message: Message, envelope: Envelope, settings: SmtpRelaySettings) -> Receipt:
    redirected = redirect(message, settings)
    if redirected is not message:
        message, envelope = redirected, Envelope.of(redirected, envelope.reverse_path)
    check_recipients(message, settings)
    relay = choose_relay(None, settings)
    if relay.submits:
        policy = SenderPolicy.protecting(settings.protected_domains)
        policy.check_draft(message)  # the setting may have changed, or the stored file
        message = message.with_sender(relay.sender(message.requested_from, policy))
        envelope = replace(
            envelope, reverse_path=Envelope.of(message, relay.reverse_path).reverse_path
        )
    with _turn(relay):
        receipt = relay.sign(relay.transport.deliver(message, envelope))
    outcome.tell(receipt)
    return receipt


def _turn(relay: Relay) -> AbstractContextManager[object]:
    """Wait for this mail's turn where the relay has limits for all workers together."""
    if relay.limits is None:
        return nullcontext()
    return Slots(relay, relay.limits, MAX_WAIT_SECONDS).taken(1, left=1, connections=1)
