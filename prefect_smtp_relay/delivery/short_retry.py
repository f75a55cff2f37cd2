"""A few tries in some seconds, for callers that nobody retries: hooks and automations."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from prefect_smtp_relay.delivery.deliver import deliver
from prefect_smtp_relay.delivery.outcome import Outcome
from prefect_smtp_relay.delivery.routing import RelayInput
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.runtime.run import Run
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.transports.waiting import clock

_PAUSES_SECONDS = (1.0, 3.0)
_MAX_SECONDS = 10.0


def deliver_soon(draft: Draft, requested: RelayInput, settings: SmtpRelaySettings) -> Receipt:
    """Deliver or keep: three tries in some ten seconds.

    Where the relay wants a longer wait than that, the mail is kept without another try.

    Args:
        draft: the checked message; it has one Message-ID over the tries.
        requested: the caller's ``relay=``.
        settings: as of now.

    Raises:
        EmailError: no relay took it, kept or not.
    """
    give_up_at = clock().now() + _MAX_SECONDS
    run = Run(str(uuid.uuid4()), datetime.now(UTC), retries=len(_PAUSES_SECONDS))

    def attempt(number: int) -> Outcome:
        left = give_up_at - clock().now()
        this = Run(run.id, run.started_at, number, run.retries)
        return deliver([draft], requested, this, settings, patience=left)[0]

    last = run.retries + 1
    for number, pause in enumerate(_PAUSES_SECONDS, start=1):
        outcome = attempt(number)
        if (error := outcome.error) is None or error.given_up:
            return outcome.get()
        left = give_up_at - clock().now()
        if pause > left or _wants_longer(error, left):
            break
        run_logger().warning("%s The mail is tried again.", error)
        clock().sleep(pause)
    return attempt(last).get()


def _wants_longer(error: EmailError, seconds: float) -> bool:
    return error.retry_after is not None and error.retry_after > seconds
