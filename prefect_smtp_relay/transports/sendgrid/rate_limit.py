"""What becomes of a request when SendGrid wants fewer of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from prefect_smtp_relay.transports.base import logger
from prefect_smtp_relay.transports.sendgrid.answer import Answer
from prefect_smtp_relay.transports.sendgrid.client import ask
from prefect_smtp_relay.transports.sendgrid.config import SendGridConfig

MAX_WAIT_SECONDS = 5.0
"""A longer wait is left to whoever tries again, as the error's ``retry_after``."""


def ask_patiently(
    config: SendGridConfig, request: str, body: bytes, wait: Callable[[float], None]
) -> Answer:
    """Ask; where SendGrid wants a short wait first (429), wait and ask once more.

    A 429 has accepted nothing, so nobody gets a mail twice. The wait is as long as Retry-After or
    X-RateLimit-Reset say, at most `MAX_WAIT_SECONDS` and at most ``timeout_seconds``.

    Args:
        config: the account.
        request: method and path.
        body: JSON.
        wait: sleeps so many seconds.

    Raises:
        EmailError: there is no answer.
    """
    answer = ask(config, request, body)
    seconds = answer.seconds_to_wait(datetime.now(UTC)) if answer.status == 429 else None
    if seconds is None or seconds > min(MAX_WAIT_SECONDS, config.timeout_seconds):
        return answer
    logger.info("%s wants fewer requests: the next one in %d seconds.", config.name, seconds)
    wait(seconds)
    return ask(config, request, body)
