"""One request to SendGrid's API, with an account's key."""

from __future__ import annotations

from prefect_smtp_relay._version import __version__
from prefect_smtp_relay.transports.http.errors import cause
from prefect_smtp_relay.transports.http.exchange import exchange
from prefect_smtp_relay.transports.http.values import HttpRequest, NoAnswer
from prefect_smtp_relay.transports.redaction import Redactor
from prefect_smtp_relay.transports.sendgrid.answer import Answer
from prefect_smtp_relay.transports.sendgrid.config import SendGridConfig
from prefect_smtp_relay.transports.sendgrid.errors import unanswered


def ask(config: SendGridConfig, request: str, body: bytes = b"") -> Answer:
    """Send one request over a kept connection, and read the answer, whatever it says.

    Args:
        config: the account.
        request: method and path: ``GET /v3/scopes``.
        body: JSON, or nothing.

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
