"""Hand a draft over: to a relay, or to the outbox where that fails for good."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone

from prefect_smtp_relay import progress
from prefect_smtp_relay.events import emit_failure
from prefect_smtp_relay.exceptions import (
    DeliveryRefused,
    EmailError,
    MessageError,
    RecipientsDeferred,
)
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Draft, Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.run_log import run_logger
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.submission import (
    Origin,
    Relay,
    RelayInput,
    conclude,
    deliver,
    leave_unsettled,
    open_outbox,
    settle,
)

_PAUSES_SECONDS: tuple[float, ...] = (1, 3)
_LONGEST_SECONDS = 10


@contextlib.contextmanager
def telling_failures(*, last_try: bool) -> Iterator[None]:
    """Tell of an `EmailError` in one event, unless it will be tried again.

    Args:
        last_try: whether a transient failure is given up too.
    """
    try:
        yield
    except EmailError as error:
        if last_try or not error.transient:
            emit_failure(error)
        raise


def deliver_or_keep(
    draft: Draft,
    requested: RelayInput,
    settings: SmtpRelaySettings,
    *,
    origin: Origin | None = None,
    last_try: bool = True,
) -> tuple[Message, Receipt]:
    """Deliver; what fails for good is stored, but for what the caller or operator forbids.

    Recipients whom the relay refuses for now (4yz) are tried again alone, on the next try.

    Args:
        draft: the checked message.
        requested: the caller's ``relay=``.
        settings: as of now.
        origin: what stays the same on every try; by default there is only this one.
        last_try: whether a transient failure is given up, so that the mail is kept.

    Raises:
        EmailError: the relay did not take it, kept or not.
    """
    origin = origin or Origin()
    earlier = progress.recall(origin.seed)
    message: Message | None = None
    try:
        relay, message = settle(draft, requested, settings, origin)
        receipt = _deliver_to_the_rest(message, relay, earlier)
    except EmailError as error:
        is_final = last_try or not error.transient
        if earlier is None:
            if is_final and not isinstance(error, (MessageError, DeliveryRefused)):
                _keep(message or leave_unsettled(draft, settings, origin), error, settings)
            raise
        if not is_final:
            raise
        message = message or leave_unsettled(draft, settings, origin)
        receipt = earlier.refused_again(getattr(error, "refusals", {}))
    if receipt.deferred and not last_try:
        progress.note(origin.seed, receipt)
        raise _deferral(receipt)
    progress.forget(origin.seed)
    conclude(receipt)
    _keep_for_the_deferred(message, receipt, settings)
    return message, receipt


def deliver_soon(
    draft: Draft, requested: RelayInput, settings: SmtpRelaySettings
) -> tuple[Message, Receipt]:
    """Deliver or keep, for callers that nobody retries: three tries in some ten seconds.

    Args:
        draft: the checked message; it has one Message-ID over the tries.
        requested: the caller's ``relay=``.
        settings: as of now.

    Raises:
        EmailError: no relay took it, kept or not.
    """
    origin = Origin(str(uuid.uuid4()), datetime.now(timezone.utc))
    give_up_at = time.monotonic() + _LONGEST_SECONDS
    for pause in _PAUSES_SECONDS:
        if time.monotonic() > give_up_at:
            break
        try:
            return deliver_or_keep(draft, requested, settings, origin=origin, last_try=False)
        except EmailError as error:
            if not error.transient:
                raise
            run_logger().warning("%s The mail is tried again.", error)
        time.sleep(pause)
    return deliver_or_keep(draft, requested, settings, origin=origin, last_try=True)


@contextlib.contextmanager
def _noting_interruption(message: Message) -> Iterator[None]:
    """Leave a trace of a mail that a task's timeout or a cancellation broke off."""
    try:
        yield
    except EmailError:
        raise
    except BaseException:
        run_logger().error(
            "Interrupted while %s was submitted: it may have been accepted. Look for its"
            " Message-ID before sending it again.",
            message.message_id,
        )
        raise


def _deliver_to_the_rest(message: Message, relay: Relay, earlier: Receipt | None) -> Receipt:
    """Deliver to those whom no earlier try reached; gives the receipt of all tries."""
    envelope = Envelope.of(message)
    if earlier is not None:
        envelope = envelope.only_for(earlier.deferred)
    with _noting_interruption(message):
        receipt = deliver(message, envelope, relay)
    return earlier.followed_by(receipt) if earlier is not None else receipt


def _deferral(receipt: Receipt) -> RecipientsDeferred:
    accepted = len(receipt.accepted) + receipt.bcc_accepted
    refusals = [f"{a}: {why}" for a, why in receipt.refused.items() if why.transient]
    error = RecipientsDeferred(
        receipt.transport,
        f"{accepted} recipients were accepted, {len(receipt.deferred)} are to be tried again"
        f" ({'; '.join(refusals) or 'in Bcc'}). The next try goes to these only.",
        stage="RCPT",
    )
    error.relay, error.message_id = receipt.relay, receipt.message_id
    return error


def _keep(message: Message, error: EmailError, settings: SmtpRelaySettings) -> None:
    """Store what failed for good: losing it as well would be worse than a second failure."""
    error.message_id = message.message_id
    if path := _store(message, Envelope.of(message), str(error), settings):
        error.kept = path
        run_logger().error(
            "The mail was not accepted. It is stored as %s; `prefect-smtp-relay outbox flush`"
            " submits it again.",
            path,
        )


def _keep_for_the_deferred(message: Message, receipt: Receipt, settings: SmtpRelaySettings) -> None:
    """Store a mail that some have, for those whom the relay may take later."""
    if not receipt.deferred:
        return
    envelope = Envelope.of(message).only_for(receipt.deferred)
    refusal = receipt.all_refused[receipt.deferred[0]]
    if path := _store(message, envelope, f"deferred: {refusal}", settings):
        run_logger().info(
            "For the %d recipients who may be accepted later, the mail is stored as %s;"
            " `prefect-smtp-relay outbox flush` submits it again, to them only.",
            len(envelope.forward_paths),
            path,
        )


def _store(message: Message, envelope: Envelope, reason: str, settings: SmtpRelaySettings) -> str:
    try:
        return str(open_outbox(settings).keep(message, envelope, reason))
    except EmailError as storing:
        run_logger().error("The mail was not accepted, and could not be stored: %s", storing)
        return ""
