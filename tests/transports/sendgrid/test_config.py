from __future__ import annotations

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.transports.sendgrid import SendGridConfig, SendGridTransport


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
