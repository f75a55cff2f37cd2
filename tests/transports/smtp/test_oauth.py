"""Access tokens from a token endpoint: from the endpoint to the mail server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import AuthenticationFailed
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.smtp import Credentials, OAuthConfig, Security
from prefect_smtp_relay.transports.smtp.connect.pool import Pool
from tests.transports.sendgrid.api_server import ApiServer

from .sasl_server import deny, grant

if TYPE_CHECKING:
    from .sasl_server import SaslServer

SECRET, REFRESH = "canary-client-secret", "canary-refresh-token"
OAUTH = OAuthConfig("https://id.example.org/token", "app", SecretStr(SECRET), SecretStr(REFRESH))


@pytest.fixture
def oauth_at(endpoint: ApiServer) -> Callable[..., OAuthConfig]:
    """Configure the endpoint; with a refresh token unless it is said to be blank."""
    return lambda **fields: replace(
        OAUTH, token_url=f"{endpoint.url}/token?tenant=canary-query", **fields
    )


@pytest.fixture
def submit_with(
    start_sasl: Callable[..., SaslServer], submit: Callable[..., Receipt]
) -> Callable[..., SaslServer]:
    """Submit one mail with these settings to a server that takes these tokens."""
    server = start_sasl(users={"somebody": "else"})

    def submit_one(*tokens: str, **settings: Any) -> SaslServer:
        server.tokens.update(tokens)
        credentials = Credentials(SecretStr("ann"), SecretStr(""))
        settings = {"mechanism": "xoauth2", "credentials": credentials, **settings}
        submit(server, security=Security.STARTTLS, **settings)
        return server

    return submit_one


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
def test_a_token_is_fetched_once_and_serves_every_mail(
    endpoint: ApiServer,
    oauth_at: Callable[..., OAuthConfig],
    submit_with: Callable[..., SaslServer],
    mechanism: str,
) -> None:
    """Two mails cost one request, of the refresh-token grant (RFC 6749, section 6)."""
    endpoint.answers = [grant("t1")]
    for _ in range(2):
        server = submit_with("t1", oauth=oauth_at(scope="mail send"), mechanism=mechanism)
    assert [mail.username for mail in server.mails] == ["ann", "ann"]
    (request,) = endpoint.requests
    assert (request.method, request.path) == ("POST", "/token?tenant=canary-query")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": [REFRESH],
        "client_id": ["app"],
        "client_secret": [SECRET],
        "scope": ["mail send"],
    }


def test_without_a_refresh_token_the_client_credentials_are_shown(
    endpoint: ApiServer,
    oauth_at: Callable[..., OAuthConfig],
    submit_with: Callable[..., SaslServer],
) -> None:
    """The grant is that of RFC 6749, section 4.4; a blank scope is left out."""
    endpoint.answers = [grant("t1")]
    submit_with("t1", oauth=oauth_at(refresh_token=SecretStr("")))
    assert parse_qs(endpoint.requests[0].body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["app"],
        "client_secret": [SECRET],
    }


def test_a_kept_token_that_is_refused_is_renewed_once(
    endpoint: ApiServer,
    oauth_at: Callable[..., OAuthConfig],
    submit_with: Callable[..., SaslServer],
) -> None:
    """The mail goes out with the new token over another connection, and nobody notices."""
    endpoint.answers = [grant("t1"), grant("t2")]
    server = submit_with("t1", oauth=oauth_at())
    server.tokens.clear()
    process_memory.of(Pool).close()
    submit_with("t2", oauth=oauth_at())
    assert len(endpoint.requests) == 2
    assert len(server.mails) == 2
    assert server.connections == 3


def test_a_new_token_that_is_refused_is_not_renewed(
    endpoint: ApiServer,
    oauth_at: Callable[..., OAuthConfig],
    submit_with: Callable[..., SaslServer],
) -> None:
    """One request and one login; the error says what to check, and shows no token."""
    endpoint.answers = [grant("canary-t1"), grant("canary-t2"), grant("canary-t3")]
    with pytest.raises(AuthenticationFailed, match="does not take a new access token") as caught:
        submit_with(oauth=oauth_at())
    assert len(endpoint.requests) == 1
    assert "canary" not in str(caught.value)
    with pytest.raises(AuthenticationFailed, match="does not take a new access token"):
        submit_with(oauth=oauth_at())
    assert len(endpoint.requests) == 2


def test_a_mechanism_that_is_missing_costs_no_request(
    endpoint: ApiServer,
    oauth_at: Callable[..., OAuthConfig],
    start_tls: Callable[..., Any],
    submit: Callable[..., Receipt],
) -> None:
    """The token endpoint is asked only where the mail server would take a token."""
    server = start_tls(users={"ann": "pass"})
    credentials = Credentials(SecretStr("ann"), SecretStr(""))
    settings = {"credentials": credentials, "mechanism": "xoauth2", "oauth": oauth_at()}
    with pytest.raises(AuthenticationFailed, match="does not offer XOAUTH2"):
        submit(server, security=Security.STARTTLS, **settings)
    assert endpoint.requests == []


def test_a_check_asks_for_a_token_of_its_own(
    endpoint: ApiServer,
    oauth_at: Callable[..., OAuthConfig],
    start_sasl: Callable[..., SaslServer],
    check: Callable[..., Report],
) -> None:
    """The endpoint is a step, asked each time; what it refuses is told there."""
    server = start_sasl(users={"somebody": "else"}, tokens={"t1", "t2"})
    credentials = Credentials(SecretStr("ann"), SecretStr(""))
    settings = {"security": Security.STARTTLS, "credentials": credentials, "oauth": oauth_at()}
    endpoint.answers = [grant("t1"), grant("t2"), deny(400, "invalid_grant", "revoked")]
    for _ in range(2):
        report = check(server, mechanism="xoauth2", **settings)
        assert report.step("access token").detail.startswith("granted by 127.0.0.1:")
        assert report.step("login").outcome == "ok"
    failed = check(server, mechanism="xoauth2", **settings)
    assert "revoked" in failed.step("access token").detail
    assert failed.step("login").outcome == "skipped"
    assert failed.step("QUIT").outcome == "ok"
    assert len(endpoint.requests) == 3
