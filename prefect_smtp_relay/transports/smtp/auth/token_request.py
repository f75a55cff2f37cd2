"""One request to a token endpoint (RFC 6749, sections 4.4 and 6), bounded as a whole."""

from __future__ import annotations

from urllib.parse import urlencode

from pydantic import SecretStr

from prefect_smtp_relay._version import __version__
from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.transports.http.errors import cause, translate
from prefect_smtp_relay.transports.http.exchange import exchange
from prefect_smtp_relay.transports.http.values import HttpAnswer, HttpRequest, NoAnswer
from prefect_smtp_relay.transports.redaction import Redactor
from prefect_smtp_relay.transports.smtp.auth.token_answer import (
    CLIENT_ID,
    CLIENT_SECRET,
    REFRESH_TOKEN,
    SCOPE,
    URL,
    TokenAnswer,
)
from prefect_smtp_relay.transports.smtp.auth.tokens import Grant
from prefect_smtp_relay.transports.smtp.config import OAuthConfig

_HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # a small answer must not unpack to a large one
    "User-Agent": f"prefect-smtp-relay/{__version__}",
}


def request_token(
    oauth: OAuthConfig, refresh_token: SecretStr, transport: str, seconds: float
) -> Grant:
    """Ask for an access token.

    Args:
        oauth: the endpoint and the application.
        refresh_token: for the refresh-token grant; empty: client credentials.
        transport: the SMTP transport's loggable name, for errors.
        seconds: the bound of everything.

    Raises:
        AuthenticationFailed: the endpoint does not accept the application or the refresh token.
        EmailError: there is no usable answer.
    """
    secrets = (oauth.client_secret, oauth.refresh_token, refresh_token)
    redactor = Redactor(secret.get_secret_value() for secret in secrets)
    try:
        answer = _ask(oauth.token_url, _form(oauth, refresh_token), seconds)
    except NoAnswer as failure:
        raise translate(
            failure,
            transport,
            peer=f"the token endpoint {oauth.host}",
            url_field=URL,
            stage="AUTH",
        ) from cause(failure, redactor)
    return TokenAnswer(
        answer.status, answer.body, oauth, refresh_token.get_secret_value() != "", redactor
    ).read_grant(transport)


def _form(oauth: OAuthConfig, refresh_token: SecretStr) -> bytes:
    """Put the client's secret into the body, where providers want it (RFC 6749, section 2.3.1)."""
    refresh = refresh_token.get_secret_value()
    fields = {
        "grant_type": "refresh_token" if refresh else "client_credentials",
        "refresh_token": refresh,
        "client_id": oauth.client_id,
        "client_secret": oauth.client_secret.get_secret_value(),
        "scope": oauth.scope,
    }
    try:
        return urlencode({name: value for name, value in fields.items() if value}).encode()
    except UnicodeEncodeError:
        raise RelayConfigurationError(
            "one of them contains half of a character, which cannot be sent",
            "Copy them again.",
            field=f"{CLIENT_ID}, {CLIENT_SECRET}, {REFRESH_TOKEN} and {SCOPE}",
        ) from None


def _ask(url: str, form: bytes, seconds: float) -> HttpAnswer:
    """A grant that is cut off is not one, whatever its status.

    Raises:
        NoAnswer: there is no whole answer.
    """
    answer = exchange(HttpRequest(url, _HEADERS, form), seconds)
    if answer.missing is not None:
        raise answer.missing
    return answer
