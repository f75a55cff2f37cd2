from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import ConnectionFailed, RelayConfigurationError
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.sendgrid import SendGridConfig, SendGridTransport
from prefect_smtp_relay.transports.sendgrid.config import EU_URL, GLOBAL_URL

from .api_server import ApiServer, reply


@pytest.mark.parametrize(
    ("api_url", "name", "endpoint"),
    [
        (
            "https://api.sendgrid.com",
            "sendgrid://api.sendgrid.com",
            "https://api.sendgrid.com/v3/mail/send",
        ),
        (
            "https://api.eu.sendgrid.com:443/",
            "sendgrid://api.eu.sendgrid.com",
            "https://api.eu.sendgrid.com:443/v3/mail/send",
        ),
        (
            "http://127.0.0.1:8025",
            "sendgrid://127.0.0.1:8025",
            "http://127.0.0.1:8025/v3/mail/send",
        ),
        ("http://[::1]:80", "sendgrid://[::1]", "http://[::1]:80/v3/mail/send"),
        ("https://gw.example/sg/", "sendgrid://gw.example", "https://gw.example/sg/v3/mail/send"),
    ],
)
def test_the_name_and_the_endpoint(api_url: str, name: str, endpoint: str) -> None:
    """The loggable name is the host, with a port only where it is unusual."""
    config = SendGridConfig(SecretStr("SG.x"), api_url=api_url)
    assert SendGridTransport(config).name == name
    assert config.url_of("/v3/mail/send") == endpoint


@pytest.mark.parametrize(
    "api_url",
    [
        *("", "api.sendgrid.com", "ftp://h", "https://", "https://h:0", "https://h:99999"),
        *("https://[::1", "https://user:url-canary@h"),
    ],
)
def test_a_url_that_cannot_work(api_url: str) -> None:
    """A URL without a usable host is refused, and not repeated."""
    with pytest.raises(RelayConfigurationError, match=r"^api_url: .*accounts\.$") as caught:
        SendGridConfig(SecretStr("SG.x"), api_url=api_url)
    assert "url-canary" not in str(caught.value)


@pytest.mark.parametrize("api_key", ["", "SG.x\n", "SG x", "SG.\x00", "SG.é"])
def test_a_key_that_cannot_stand_in_a_header(api_key: str) -> None:
    """The key is refused before the HTTP library could repeat it in an error."""
    with pytest.raises(RelayConfigurationError, match=r"^api_key: ") as caught:
        SendGridConfig(SecretStr(api_key))
    assert repr(api_key)[1:-1] not in str(caught.value) or not api_key


@pytest.mark.parametrize(
    ("api_url", "host"),
    [
        (GLOBAL_URL, "api.sendgrid.com:443"),
        (EU_URL, "api.eu.sendgrid.com:443"),
        (f"{EU_URL}/", "api.eu.sendgrid.com:443"),
    ],
)
def test_the_region_is_the_url(
    api: ApiServer,
    deliver: Callable[..., Receipt],
    monkeypatch: pytest.MonkeyPatch,
    api_url: str,
    host: str,
) -> None:
    """Mail of an account in the EU goes to SendGrid's servers there, and nowhere else."""
    monkeypatch.setenv("HTTPS_PROXY", api.url)
    api.answers = [reply(407)]
    with pytest.raises(ConnectionFailed):
        deliver(api_url=api_url)
    assert [(request.method, request.path) for request in api.requests] == [("CONNECT", host)]


@pytest.mark.parametrize(
    ("api_url", "other"),
    [(GLOBAL_URL, EU_URL), (f"{EU_URL}/", GLOBAL_URL), ("https://gw.example", "")],
)
def test_the_other_region(api_url: str, other: str) -> None:
    """Each of SendGrid's regions knows the other; a gateway has none."""
    assert SendGridConfig(SecretStr("SG.x"), api_url=api_url).other_region_url == other
