"""What becomes of a mail: one log line, one event, and the outbox where it failed for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from prefect_smtp_relay.delivery.routing import CAPTURE, OUTBOX, open_outbox
from prefect_smtp_relay.exceptions import (
    DeliveryRefused,
    EmailError,
    MailsNotAccepted,
    MessageError,
    OutcomeUnknown,
    ReceiptDamaged,
    RecipientsDeferred,
)
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.runtime.events import emit_receipt
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.settings import SmtpRelaySettings

_MAX_TOLD = 3


@dataclass(frozen=True)
class Outcome:
    """What became of one mail in one try: a receipt, or an error.

    Args:
        receipt: of all tries.
        error: of this try; `EmailError.given_up` says whether nobody tries again.
        message: what was submitted; None where nothing was, in this try.
    """

    receipt: Receipt | None = None
    error: EmailError | None = None
    message: Message | None = None

    def get(self) -> Receipt:
        """Return the receipt.

        Raises:
            EmailError: there is none.
        """
        if self.receipt is None:
            raise self.error or AssertionError("an outcome has a receipt or an error")
        return self.receipt


def tell(receipt: Receipt) -> None:
    """Log in one line, and tell in one event, what became of a mail."""
    if receipt.left_out:
        run_logger().warning(
            "Bad data is not in the mail %s: %s.", receipt.message_id, "; ".join(receipt.left_out)
        )
    if receipt.relay == CAPTURE:
        _log_captured(receipt)
        return  # nobody was to get the mail: there is nothing to react to
    if receipt.outcome == "stored":
        _log_stored(receipt)
    else:
        _log_accepted(receipt)
    emit_receipt(receipt)


def deferral(receipt: Receipt) -> RecipientsDeferred:
    """Build the error of a mail that some have, and others are to get in the next try."""
    accepted = len(receipt.accepted) + receipt.bcc_accepted
    refusals = [f"{a}: {why}" for a, why in receipt.refused.items() if why.transient]
    error = RecipientsDeferred(
        receipt.transport,
        f"{accepted} recipients were accepted, {len(receipt.deferred)} are to be tried again"
        f" ({'; '.join(refusals) or 'in Bcc'}). The next try goes to these only.",
        stage="RCPT",
    )
    return error.copy(relay=receipt.relay, message_id=receipt.message_id)


def keep(
    message: Message,
    error: EmailError,
    settings: SmtpRelaySettings,
    *,
    is_unknown: bool = False,
) -> str:
    """Store a mail that failed for good: losing it as well would be worse than a second failure.

    Args:
        message: the mail.
        error: of its last try.
        settings: as of now.
        is_unknown: whether a relay may have accepted it in an earlier try.

    Returns:
        Its place in the outbox; empty where it is not stored: the caller or the operator forbids
        it, or the outbox fails too.
    """
    if isinstance(error, (MessageError, DeliveryRefused, ReceiptDamaged)):
        return ""
    is_unknown = is_unknown or isinstance(error, OutcomeUnknown)
    place, copies = _store(
        message, Envelope.of(message), str(error), settings, is_unknown=is_unknown
    )
    if place and is_unknown:
        run_logger().error(
            "It is not known whether the mail was accepted. It is stored as %s. Look for"
            " its Message-ID in the relay's log; if it is not there,"
            " `prefect-smtp-relay outbox flush %s` submits it again.",
            place,
            PurePath(place).stem,
        )
    elif place:
        run_logger().error(
            "The mail was not accepted. It is stored as %s; `prefect-smtp-relay outbox flush`"
            " submits it again.%s",
            place,
            _also_waiting(copies),
        )
    return place


def keep_for_deferred(message: Message, receipt: Receipt, settings: SmtpRelaySettings) -> None:
    """Store a mail that some have, for those whom the relay may take later."""
    envelope = Envelope.of(message).only_for(receipt.deferred)
    message = replace(message, idempotency_key="")  # it has the receipt of the others
    refusal = receipt.all_refused[receipt.deferred[0]]
    place, _ = _store(message, envelope, f"deferred: {refusal}", settings)
    if place:
        run_logger().info(
            "For the %d recipients who may be accepted later, the mail is stored as %s;"
            " `prefect-smtp-relay outbox flush` submits it again, to them only.",
            len(envelope.forward_paths),
            place,
        )


def not_accepted(outcomes: list[Outcome]) -> MailsNotAccepted | None:
    """Build the error of a batch; its text tells of the first failures, of alike ones once.

    Returns:
        None where every mail has a receipt.
    """
    receipts = {n: each.receipt for n, each in enumerate(outcomes) if each.receipt}
    errors = {n: each.error for n, each in enumerate(outcomes) if each.error}
    if not errors:
        return None
    listed = _list(errors)
    if left := listed[_MAX_TOLD:]:
        listed[_MAX_TOLD:] = [f"{len(left)} more errors in `errors`"]
    text = f"{len(errors)} of {len(outcomes)} mails were not accepted. {'; '.join(listed)}."
    return MailsNotAccepted(text, receipts, errors)


def _list(errors: Mapping[int, EmailError]) -> list[str]:
    places: dict[str, list[int]] = {}
    for number, error in errors.items():
        places.setdefault(str(error).rstrip("."), []).append(number)
    return [
        f"mails[{first}]" + f" and {len(alike)} like it" * bool(alike) + f": {text}"
        for text, (first, *alike) in places.items()
    ]


def _store(
    message: Message,
    envelope: Envelope,
    reason: str,
    settings: SmtpRelaySettings,
    *,
    is_unknown: bool = False,
) -> tuple[str, Sequence[str]]:
    """Store a mail; return its place, or an empty text, and the ids of its copies."""
    try:
        outbox = open_outbox(settings)
        entry_id = outbox.keep(message, envelope, reason, may_be_accepted=is_unknown)
    except EmailError as storing:
        run_logger().error("The mail was not accepted, and could not be stored: %s", storing)
        return "", ()
    return outbox.place(entry_id), outbox.copies(entry_id, message, envelope)


def _also_waiting(copies: Sequence[str]) -> str:
    """Say that a flush would submit a mail several times, and what to do about it."""
    if not copies:
        return ""
    # Its format is loaded where mail is stored.
    from prefect_smtp_relay.transports.outbox.stored_mail import short_id

    return (
        f" The same mail waits already as {', '.join(map(short_id, copies))}: a flush submits each"
        " of them. `prefect-smtp-relay outbox flush --newest-copy` submits the newest one and"
        " discards the others; `prefect-smtp-relay outbox discard ID` discards one."
    )


def _log_captured(receipt: Receipt) -> None:
    run_logger().info(
        "Captured %s: %s. Nothing was submitted; unset capture_to to submit mail.",
        receipt.message_id,
        receipt.response,
    )


def _log_stored(receipt: Receipt) -> None:
    if receipt.relay != OUTBOX:
        run_logger().info("The mail %s was %s.", receipt.message_id, receipt.response)
        return
    run_logger().warning(
        "No relay is connected: the mail %s was %s. Save an SMTP or a SendGrid block, then run"
        " `prefect-smtp-relay outbox flush` to submit it.",
        receipt.message_id,
        receipt.response,
    )


def _log_accepted(receipt: Receipt) -> None:
    run_logger().info(
        "%s%s accepted %s for %d recipient(s): %s",
        receipt.relay,
        "".join(f", in place of {each.relay}," for each in receipt.failed_over_from[-1:]),
        receipt.message_id,
        len(receipt.accepted) + receipt.bcc_accepted,
        receipt.response,
    )
    if receipt.refused or receipt.bcc_refused:
        run_logger().warning(
            "%s refused %d recipient(s) of %s: %s",
            receipt.relay,
            len(receipt.refused) + receipt.bcc_refused,
            receipt.message_id,
            "; ".join(f"{a}: {refusal}" for a, refusal in receipt.refused.items()) or "in Bcc",
        )
