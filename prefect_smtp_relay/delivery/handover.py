"""Hand a draft over: to a relay, or to the outbox where that fails for good."""

from __future__ import annotations

import contextlib
import functools
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from prefect_smtp_relay.delivery import hold
from prefect_smtp_relay.delivery.attempt import Attempt
from prefect_smtp_relay.delivery.keys import claiming
from prefect_smtp_relay.delivery.routing import Origin, RelayInput, choose_relay, deliver
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.message import Draft, Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.runtime.events import emit_failure
from prefect_smtp_relay.runtime.log import noting_interruption, run_logger
from prefect_smtp_relay.settings import SmtpRelaySettings

_PAUSES_SECONDS: tuple[float, ...] = (1, 3)
_LONGEST_SECONDS = 10
_INTERRUPTED = (
    "Interrupted while %s was submitted: it may have been accepted. Look for its Message-ID before"
    " sending it again."
)


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
    patience: float = hold.LONGEST_SECONDS,
) -> tuple[Message | None, Receipt]:
    """Deliver; what fails for good is stored, but for what the caller or operator forbids.

    Recipients whom the relay refuses for now (4yz) are tried again alone, on the next try.

    Args:
        draft: the checked message.
        requested: the caller's ``relay=``.
        settings: as of now.
        origin: what stays the same on every try; by default there is only this one.
        last_try: whether a transient failure is given up, so that the mail is kept.
        patience: the longest wait, in seconds, that a relay may have asked for in the try before.

    Returns:
        The message and its receipt; no message where the mail of this key was accepted before.

    Raises:
        EmailError: the relay did not take it, kept or not.
    """
    origin = origin or Origin()
    _wait(draft, requested, settings, origin, patience)
    with claiming([draft]) as [claim]:
        attempt = Attempt(claim, settings, origin, last_try=last_try)
        try:
            if (earlier := attempt.recall()) is not None:
                return None, earlier
            relay = attempt.settle(requested)
            with noting_interruption(_INTERRUPTED, attempt.message.message_id):
                receipt = deliver(attempt.message, attempt.envelope, relay)
        except EmailError as error:
            receipt = attempt.fail(error)
        else:
            receipt = attempt.conclude(receipt)
    return attempt.message, receipt


def _wait(
    draft: Draft,
    requested: RelayInput,
    settings: SmtpRelaySettings,
    origin: Origin,
    patience: float,
) -> None:
    """Wait as the relay asked for, before the mail's key is held: others may wait for that."""
    seed = origin.of_key(draft.idempotency_key).seed
    if hold.is_noted(seed):
        with contextlib.suppress(EmailError):  # what stands against the relay, the try meets too
            hold.wait([seed], choose_relay(requested, settings).name, patience)


def deliver_soon(
    draft: Draft, requested: RelayInput, settings: SmtpRelaySettings
) -> tuple[Message | None, Receipt]:
    """Deliver or keep, for callers that nobody retries: three tries in some ten seconds.

    Where the relay wants a longer wait than that, the mail is kept without another try.

    Args:
        draft: the checked message; it has one Message-ID over the tries.
        requested: the caller's ``relay=``.
        settings: as of now.

    Raises:
        EmailError: no relay took it, kept or not.
    """
    origin = Origin(str(uuid.uuid4()), datetime.now(UTC))
    attempt = functools.partial(deliver_or_keep, draft, requested, settings, origin=origin)
    give_up_at = time.monotonic() + _LONGEST_SECONDS
    for pause in _PAUSES_SECONDS:
        if (left := give_up_at - time.monotonic()) < 0:
            break
        try:
            return attempt(last_try=False, patience=left)
        except EmailError as error:
            if not error.transient:
                raise
            if error.retry_after is not None and error.retry_after > left:
                break
            run_logger().warning("%s The mail is tried again.", error)
        time.sleep(pause)
    return attempt(last_try=True, patience=give_up_at - time.monotonic())
