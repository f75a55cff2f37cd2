"""What becomes of mails whose delivery is broken off: by a timeout, a cancellation or a signal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prefect_smtp_relay.delivery.attempt import Attempt
from prefect_smtp_relay.exceptions import OutcomeUnknown
from prefect_smtp_relay.runtime.log import run_logger


@contextmanager
def keeping_the_rest(attempts: Sequence[Attempt]) -> Iterator[None]:
    """Store what has no receipt where the delivery is broken off: Prefect tries none of it again.

    Args:
        attempts: one for each mail.
    """
    try:
        yield
    except BaseException:
        left = [attempt for attempt in attempts if attempt.is_open]
        for attempt in left:
            attempt.break_off()
        _tell(attempts, left)
        raise


def _tell(attempts: Sequence[Attempt], left: Sequence[Attempt]) -> None:
    receipts = sum(1 for each in attempts if each.outcome and each.outcome.receipt)
    errors = [each.outcome.error for each in left if each.outcome and each.outcome.error]
    run_logger().error(
        "Interrupted: of %d mails %d have a receipt, %d may have been accepted, %d were not"
        " submitted or not accepted. Of the last two, %d are stored in the outbox.",
        len(attempts),
        receipts,
        sum(1 for error in errors if isinstance(error, OutcomeUnknown)),
        sum(1 for error in errors if not isinstance(error, OutcomeUnknown)),
        sum(1 for error in errors if error.kept),
    )
