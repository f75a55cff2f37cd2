"""Requests to SendGrid's API, with an account's key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from prefect_smtp_relay._version import __version__
from prefect_smtp_relay.transports.base import logger
from prefect_smtp_relay.transports.http.errors import cause
from prefect_smtp_relay.transports.http.exchange import exchange
from prefect_smtp_relay.transports.http.values import HttpRequest, NoAnswer
from prefect_smtp_relay.transports.redaction import Redactor
from prefect_smtp_relay.transports.sendgrid.answer import Answer
from prefect_smtp_relay.transports.sendgrid.config import SendGridConfig
from prefect_smtp_relay.transports.sendgrid.errors import POST, unanswered

MAX_WAIT_SECONDS = 5.0
"""A longer wait is left to whoever tries again, as the error's ``retry_after``."""


def submit(config: SendGridConfig, body: bytes, wait: Callable[[float], None]) -> Answer:
    """Submit a mail; where SendGrid wants a short wait first (429), wait and submit it once more.

    A 429 has accepted nothing, so nobody gets a mail twice.

    Raises:
        EmailError: there is no answer.
    """
    answer = ask(config, POST, body)
    seconds = answer.seconds_to_wait(datetime.now(UTC)) if answer.status == 429 else None
    if seconds is None or seconds > min(MAX_WAIT_SECONDS, config.timeout_seconds):
        return answer
    logger.info("%s wants fewer requests: the next one in %d seconds.", config.name, seconds)
    wait(seconds)
    return ask(config, POST, body)


def ask(config: SendGridConfig, request: str, body: bytes = b"") -> Answer:
    """Send one request, method and path, and read the answer, whatever it says.

    Raises:
        EmailError: there is no answer.
    """
    method, _, path = request.partition(" ")
    call = HttpRequest(config.url_of(path), _headers(config), body, method)
    redactor = Redactor([config.api_key.get_secret_value()])
    try:
        answer = exchange(call, config.timeout_seconds)
    except NoAnswer as failure:
        raise unanswered(failure, config.name, request) from cause(failure, redactor)
    return Answer(answer.status, answer.headers, answer.body, redactor)


def _headers(config: SendGridConfig) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {config.api_key.get_secret_value()}",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",  # a small answer must not unpack to a large one
        "User-Agent": f"prefect-smtp-relay/{__version__}",
    }
