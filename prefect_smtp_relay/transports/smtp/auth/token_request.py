"""One request to a token endpoint (RFC 6749, sections 4.4 and 6), bounded as a whole."""

from __future__ import annotations

import ssl
import threading
from queue import Empty, SimpleQueue

import httpx
from pydantic import SecretStr

from prefect_smtp_relay._version import __version__
from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    EmailError,
    RelayConfigurationError,
    TimedOut,
    TlsFailed,
)
from prefect_smtp_relay.transports.smtp.auth.token_answer import TokenAnswer
from prefect_smtp_relay.transports.smtp.auth.tokens import Grant
from prefect_smtp_relay.transports.smtp.config import OAuthConfig

_BODY_LIMIT = 64 * 1024
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # a small answer must not unpack to a large one
    "User-Agent": f"prefect-smtp-relay/{__version__}",
}
_TIMEOUTS = (httpx.TimeoutException, TimeoutError)
_NO_CONNECTION = (httpx.HTTPError, httpx.StreamError, httpx.CookieConflict, RuntimeError)

MISCONFIGURED: tuple[type[Exception], ...] = (httpx.InvalidURL, OSError, ValueError, ImportError)
"""Raised for a wrong URL, and while the environment's proxies and CA certificates are read."""

FOREIGN: tuple[type[Exception], ...] = (*_TIMEOUTS, *_NO_CONNECTION, *MISCONFIGURED)
"""All that `translate` takes."""


def request_token(
    oauth: OAuthConfig, refresh_token: SecretStr, transport: str, seconds: float
) -> Grant:
    """Ask for an access token.

    Args:
        oauth: the endpoint and the application.
        refresh_token: for the refresh-token grant; blank: client credentials.
        transport: the SMTP transport's loggable name, for errors.
        seconds: the bound of everything, from DNS to the last octet of the answer.

    Raises:
        AuthenticationFailed: the endpoint does not accept the application or the refresh token.
        EmailError: there is no usable answer.
    """
    try:
        status, body = _ask(oauth.token_url, _form(oauth, refresh_token), seconds)
    except FOREIGN as error:
        # The text of an error about a URL may repeat the URL's query, or a proxy's password.
        cause = error if isinstance(error, (httpx.HTTPError, OSError)) else None
        raise translate(error, transport, oauth) from cause
    return TokenAnswer(status, body, oauth, refresh_token).read_grant(transport)


def translate(error: Exception, transport: str, oauth: OAuthConfig) -> EmailError:
    """Turn an exception of `FOREIGN` into ours.

    Args:
        error: what httpx, or the building of its client, raised.
        transport: the SMTP transport's loggable name.
        oauth: whose endpoint was asked.
    """
    if isinstance(error, _TIMEOUTS):
        detail = (
            f"{oauth.host} gave no access token in time. Check `oauth_token_url` and the network,"
            " or raise `timeout_seconds`."
        )
        return TimedOut(transport, detail, stage="AUTH")
    if isinstance(error, (httpx.UnsupportedProtocol, *MISCONFIGURED)):
        reason = str(error) if isinstance(error, OSError) else type(error).__name__
        return RelayConfigurationError(
            f"{transport} (AUTH): no connection to {oauth.host} could be prepared ({reason})."
            " Check `oauth_token_url`, and the environment's HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE"
            " and SSL_CERT_DIR."
        )
    if (problem := _certificate_problem(error)) is not None:
        detail = (
            f"the certificate of {oauth.host} is not trusted: {problem}. Check `oauth_token_url`,"
            " or let SSL_CERT_FILE name the CA."
        )
        return TlsFailed(transport, detail, stage="AUTH")
    detail = (
        f"no answer from {oauth.host}, which gives the access tokens: the connection failed. Check"
        " `oauth_token_url`, the network, and a proxy that HTTPS_PROXY may name."
    )
    return ConnectionFailed(transport, detail, stage="AUTH")


def _form(oauth: OAuthConfig, refresh_token: SecretStr) -> dict[str, str]:
    """Put the client's secret into the body, where providers want it (RFC 6749, section 2.3.1)."""
    refresh = refresh_token.get_secret_value()
    fields = {
        "grant_type": "refresh_token" if refresh else "client_credentials",
        "refresh_token": refresh,
        "client_id": oauth.client_id,
        "client_secret": oauth.client_secret.get_secret_value(),
        "scope": oauth.scope,
    }
    return {name: value for name, value in fields.items() if value}


def _ask(url: str, form: dict[str, str], seconds: float) -> tuple[int, bytes]:
    """Ask in a thread of its own: httpx bounds each read, and nobody bounds DNS.

    Raises:
        TimeoutError: there is no whole answer yet; closing the client ends the thread.
    """
    results: SimpleQueue[tuple[int, bytes] | Exception] = SimpleQueue()
    with httpx.Client(follow_redirects=False, timeout=seconds) as client:

        def exchange() -> None:
            try:
                results.put(_exchange(client, url, form))
            except Exception as error:
                results.put(error)  # raised again by the thread that waits

        threading.Thread(target=exchange, daemon=True).start()
        try:
            result = results.get(timeout=seconds)
        except Empty:
            raise TimeoutError from None
    if isinstance(result, Exception):
        raise result
    return result


def _exchange(client: httpx.Client, url: str, form: dict[str, str]) -> tuple[int, bytes]:
    with client.stream("POST", url, data=form, headers=_HEADERS) as response:
        body = b""
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > _BODY_LIMIT:
                break
        return response.status_code, body[:_BODY_LIMIT]


def _certificate_problem(error: Exception) -> str | None:
    """Look behind a connection's error; httpcore drops the cause, and leaves the context."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, ssl.SSLCertVerificationError):
        found = found.__cause__ or found.__context__
    return found.verify_message.rstrip(".") if found else None
