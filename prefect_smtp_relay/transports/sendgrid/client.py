"""One request to SendGrid's API, with an account's key."""

from __future__ import annotations

from prefect_smtp_relay._version import __version__
from prefect_smtp_relay.transports.sendgrid.answer import Answer
from prefect_smtp_relay.transports.sendgrid.config import SendGridConfig
from prefect_smtp_relay.transports.sendgrid.connection import ApiRequest, exchange
from prefect_smtp_relay.transports.sendgrid.errors import FOREIGN, cause, translate
from prefect_smtp_relay.transports.sendgrid.network import Progress


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
    call = ApiRequest(config.url_of(path), _headers(config), body, method)
    progress = Progress(config.timeout_seconds, len(body))
    try:
        return exchange(config.api_url, call, progress)
    except FOREIGN as error:
        raise translate(
            error, config.name, handed_over=progress.handed_over, request=request
        ) from cause(error, config.api_key)


def _headers(config: SendGridConfig) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {config.api_key.get_secret_value()}",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",  # a small answer must not unpack to a large one
        "User-Agent": f"prefect-smtp-relay/{__version__}",
    }
