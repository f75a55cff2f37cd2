"""Each thing that a token endpoint can do wrong: the class, the words, the bound, no secret."""

from __future__ import annotations

import json
import pickle
import socket
import traceback
from collections.abc import Callable, Iterator

import httpx
import pytest
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    ConnectionFailed,
    EmailError,
    PermanentFailure,
    RelayConfigurationError,
    TimedOut,
    TlsFailed,
    TransientFailure,
)
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.transports.smtp import OAuthConfig
from prefect_smtp_relay.transports.smtp.auth.token_request import request_token
from prefect_smtp_relay.transports.smtp.auth.tokens import Grant
from tests.transports.sendgrid.api_server import (
    Answer,
    ApiServer,
    drip,
    raw,
    reply,
    serve,
    stall,
    then_close,
)

from .sasl_server import deny, grant

NAME = "smtp://mx.example.org:587"
SECRET, REFRESH = "canary+client/secret&", "canary refresh=token"
QUERY = "tenant=canary-tenant"
Ask = Callable[..., Grant]


@pytest.fixture
def ask(endpoint: ApiServer) -> Ask:
    """Ask the endpoint, which answers as told."""

    def ask(
        answer: Answer | None = None, refresh: str = REFRESH, url: str = "", seconds: float = 5.0
    ) -> Grant:
        endpoint.answers = [answer] if answer else []
        url = url or f"{endpoint.url}/token?{QUERY}"
        oauth = OAuthConfig(url, "app", SecretStr(SECRET), SecretStr(refresh))
        return request_token(oauth, oauth.refresh_token, NAME, seconds)

    return ask


def _told(error: BaseException) -> str:
    trace = "".join(traceback.format_exception(error))
    return f"{error} {error!r} {trace} {pickle.dumps(error)!r}"


DENIALS = [
    # status, error, with a refresh token, words of the advice
    (
        400,
        "invalid_grant",
        True,
        "set *Advanced: OAuth refresh token* (`oauth_refresh_token`)",
    ),
    (
        400,
        "invalid_grant",
        False,
        "Check *Advanced: OAuth token URL* (`oauth_token_url`), *Advanced: OAuth client ID*",
    ),
    (
        401,
        "invalid_client",
        True,
        "Check *Advanced: OAuth client ID* (`oauth_client_id`) and",
    ),
    (
        400,
        "invalid_client",
        False,
        "Check *Advanced: OAuth client ID* (`oauth_client_id`) and",
    ),
    (400, "unauthorized_client", False, "whether the application may use this grant"),
    (400, "invalid_scope", False, "Check *Advanced: OAuth scope* (`oauth_scope`)"),
    (400, "unsupported_grant_type", False, "Check *Advanced: OAuth token URL* (`oauth_token_url`)"),
    (
        403,
        "access_denied",
        False,
        "Check *Advanced: OAuth token URL* (`oauth_token_url`), *Advanced: OAuth client ID*",
    ),
]


@pytest.mark.parametrize(("status", "error", "has_refresh_token", "advice"), DENIALS)
def test_a_denial_names_the_field_to_change(
    ask: Ask, endpoint: ApiServer, status: int, error: str, has_refresh_token: bool, advice: str
) -> None:
    """The error's code and description are shown, in one line, with the transport and the host."""
    host = endpoint.url.removeprefix("http://")
    with pytest.raises(AuthenticationFailed) as caught:
        ask(
            deny(status, error, "Bad\r\n\x1b[31m request."),
            refresh=REFRESH if has_refresh_token else "",
        )
    text = str(caught.value)
    assert text.startswith(f"{NAME} (AUTH): the token endpoint {host} answered ")
    assert f"{status} {error}: Bad \\x1b[31m request. " in text
    assert advice in text
    assert (caught.value.code, caught.value.stage) == (status, "AUTH")
    assert not caught.value.transient


WRONG_ANSWERS = [
    (reply(500, "oops"), TransientFailure, "answered 500. The trouble is the token endpoint's"),
    (reply(503), TransientFailure, "answered 503"),
    (deny(429, "slow_down"), TransientFailure, "answered 429 slow_down"),
    (deny(400, "temporarily_unavailable"), TransientFailure, "temporarily_unavailable"),
    (reply(200, "<html>Sign in</html>"), PermanentFailure, "contains no access token"),
    (reply(200, "{}"), PermanentFailure, "contains no access token"),
    (reply(200, '{"access_token": 5}'), PermanentFailure, "contains no access token"),
    (reply(200, '["access_token"]'), PermanentFailure, "contains no access token"),
    (grant("two words"), PermanentFailure, "contains no access token"),
    (grant("with\1control"), PermanentFailure, "contains no access token"),
    (reply(200, "[" * 60_000), PermanentFailure, "contains no access token"),
    (reply(200, b"\xff\xfe"), PermanentFailure, "contains no access token"),
    (reply(200, "x" * 1_000_000), PermanentFailure, "contains no access token"),
    (
        reply(404, "nothing here"),
        PermanentFailure,
        "Check *Advanced: OAuth token URL* (`oauth_token_url`)",
    ),
    (
        reply(400, "no JSON"),
        PermanentFailure,
        "Check *Advanced: OAuth token URL* (`oauth_token_url`)",
    ),
    (reply(302, location="http://127.0.0.1:1/"), PermanentFailure, "redirects are not followed"),
    (raw(b"220 mx.test ESMTP\r\n"), ConnectionFailed, "was lost before the whole answer"),
    (raw(b""), ConnectionFailed, "was lost before the whole answer"),
    (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), ConnectionFailed, "was lost before"),
]


@pytest.mark.parametrize(("answer", "kind", "words"), WRONG_ANSWERS)
def test_an_answer_that_grants_nothing(
    ask: Ask, answer: Answer, kind: type[EmailError], words: str
) -> None:
    """The class says whether to try again, and the words what to change; no secret is told."""
    with pytest.raises(kind) as caught:
        ask(answer)
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert "canary" not in _told(caught.value)


@pytest.mark.parametrize(
    "answer",
    [stall, drip(b"HTTP/1.1 200 OK\r\nX: "), drip(b"HTTP/1.1 200 OK\r\n\r\n"), drip(b"")],
    ids=["silence", "dripping-header", "dripping-body", "dripping-all"],
)
def test_an_endpoint_that_never_ends(ask: Ask, answer: Answer) -> None:
    """The whole request is bounded, whatever trickles in."""
    with pytest.raises(TimedOut, match="gave no whole answer in time") as caught:
        ask(answer, seconds=0.4)
    assert caught.value.transient
    assert "canary" not in _told(caught.value)


def test_nobody_listens(ask: Ask) -> None:
    """A refused connection is transient, and names the host without the query."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"http://127.0.0.1:{port}/token?{QUERY}"
    with pytest.raises(
        ConnectionFailed, match=rf"the token endpoint 127\.0\.0\.1:{port}\."
    ) as caught:
        ask(url=url)
    assert "canary" not in _told(caught.value)


@pytest.fixture
def tls_endpoint(certificates: Certificates) -> Iterator[ApiServer]:
    """An endpoint with a certificate of a CA that nobody knows."""
    with serve(certificates.server_context) as server:
        yield server


def test_the_certificate_is_verified(
    ask: Ask,
    tls_endpoint: ApiServer,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """No secret goes to an endpoint of an unknown CA; SSL_CERT_FILE makes it known."""
    url = tls_endpoint.url.replace("127.0.0.1", "localhost")
    with pytest.raises(TlsFailed, match=r"token endpoint localhost:.* is not trusted"):
        ask(url=url)
    assert tls_endpoint.requests == []
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca_file.write_text(certificates.ca_pem, encoding="ascii")
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    tls_endpoint.answers = [grant("t1")]
    assert ask(url=url).access_token.get_secret_value() == "t1"


def test_a_certificate_file_that_is_missing(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What the environment says wrong is a wrong setting, not an outage."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path_factory.mktemp("ca") / "missing.pem"))
    with pytest.raises(RelayConfigurationError, match="SSL_CERT_FILE"):
        ask(url="https://127.0.0.1:1/token")


@pytest.mark.parametrize("status", [400, 401, 500])
def test_secrets_that_the_endpoint_repeats(ask: Ask, status: int) -> None:
    """Neither the client's secret nor the refresh token is told, however it is spelled."""
    form = str(httpx.QueryParams({"client_secret": SECRET, "refresh_token": REFRESH}))
    said = f"you sent {form} with {SECRET} and {REFRESH} for canary-access"
    body = {"error": "invalid_grant", "error_description": said, "access_token": "canary-access"}
    with pytest.raises(EmailError, match="you sent") as caught:
        ask(reply(status, json.dumps(body)))
    assert "canary" not in _told(caught.value)
    assert "***" in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "life"),
    [
        ({"expires_in": 100}, 100.0),
        ({"expires_in": "100"}, 100.0),
        ({"expires_in": None}, 300.0),
        ({"expires_in": "soon"}, 300.0),
        ({"expires_in": -1}, 0.0),
        ({"expires_in": 1e300}, 86400.0),
        ({"expires_in": 10**400}, 86400.0),
        ({"expires_in": -(10**400)}, 0.0),
        ({"expires_in": "nan"}, 0.0),
    ],
)
def test_how_long_a_token_lives(ask: Ask, fields: dict[str, object], life: float) -> None:
    """``expires_in`` in seconds, as a number or a text; five minutes where it cannot be read."""
    assert ask(grant("t1", **fields)).lifetime_seconds == life


def test_a_rotated_refresh_token_is_read(ask: Ask) -> None:
    """An empty one, or none, leaves the present one in its place."""
    rotated = ask(grant("t1", refresh_token="new")).refresh_token
    assert rotated == SecretStr("new")
    assert ask(grant("t1", refresh_token="")).refresh_token is None
    assert ask(then_close(grant("t1"))).refresh_token is None


def test_no_proxy_carries_a_request_to_this_host(
    ask: Ask, endpoint: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain http URL is on loopback: a proxy would read the secrets, on another loopback."""
    with serve() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert ask(grant("t1")).access_token.get_secret_value() == "t1"
    assert proxy.requests == []
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("field", ["client_id", "client_secret", "refresh_token", "scope"])
def test_what_cannot_be_sent_is_a_wrong_setting(endpoint: ApiServer, field: str) -> None:
    """Half of a character, which UTF-8 does not know, is told before anything is asked."""
    half = "canary-\ud800"
    settings = {
        "client_id": "app",
        "client_secret": SecretStr(SECRET),
        "refresh_token": SecretStr(REFRESH),
        "scope": "",
    }
    value = SecretStr(half) if isinstance(settings[field], SecretStr) else half
    oauth = OAuthConfig(endpoint.url, **{**settings, field: value})  # type: ignore[arg-type]  # of many types
    with pytest.raises(RelayConfigurationError, match="oauth_client_id") as caught:
        request_token(oauth, oauth.refresh_token, NAME, 5.0)
    assert "canary" not in _told(caught.value)
    assert endpoint.requests == []
