"""Which fields of the SMTP block's authentication go together."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.blocks.environment import fields_from_environment
from prefect_smtp_relay.exceptions import InvalidField
from prefect_smtp_relay.transports.smtp import OAuthConfig

URL = "https://oauth2.googleapis.com/token"
ACCOUNT = {"address": "mx.example.org", "username": "ann@example.org"}
APPLICATION = {"oauth_token_url": URL, "oauth_client_id": "app", "oauth_client_secret": "secret"}

WRONG: list[tuple[dict[str, Any], str, str]] = [
    # values, field, fix
    ({"username": ""}, "username", "Write the address of the mailbox"),
    ({}, "oauth_token_url", "Set *Advanced: OAuth token URL* (`oauth_token_url`) and"),
    (
        {"oauth_scope": "mail"},
        "oauth_token_url",
        "`oauth_scope` is set. Write",
    ),
    ({"oauth_token_url": URL}, "oauth_client_id", "Write the application's ID"),
    ({**APPLICATION, "oauth_client_id": ""}, "oauth_client_id", "Write the application's ID"),
    ({**APPLICATION, "oauth_client_secret": ""}, "oauth_client_secret", "Set the secret, and"),
    ({**APPLICATION, "password": "token"}, "password", "Clear one of them"),
    (
        {**APPLICATION, "authentication": "plain"},
        "oauth_token_url",
        "Set *Authentication* (`authentication`) to xoauth2",
    ),
    (
        {"authentication": "login", "password": "p", "oauth_refresh_token": "r"},
        "oauth_refresh_token",
        "or clear the OAuth fields",
    ),
    ({"authentication": "scram_sha_256"}, "password", "Set both or neither"),
    ({"oauth_client_secret": "********"}, "oauth_client_secret", "Enter it again"),
    ({"oauth_token_url": "oauth2.googleapis.com"}, "oauth_token_url", "Write it like https://"),
    ({"oauth_token_url": "ftp://id.example.org"}, "oauth_token_url", "Write it like https://"),
    ({"oauth_token_url": f"{URL}#here"}, "oauth_token_url", "Write it like https://"),
    (
        {"oauth_token_url": "https://id.example.org/a b"},
        "oauth_token_url",
        "Write it like https://",
    ),
    ({"oauth_token_url": "https://id.example.org:port/"}, "oauth_token_url", "Write it like"),
    ({"oauth_token_url": "http://id.example.org/"}, "oauth_token_url", "Write it with https://"),
    ({"oauth_token_url": "https://u:p@id.example.org"}, "oauth_token_url", "oauth_client_secret"),
    ({"oauth_token": "x"}, "oauth_token", "no such field. Did you mean"),
]


@pytest.mark.parametrize(("values", "field", "fix"), WRONG)
def test_fields_that_do_not_go_together(values: dict[str, Any], field: str, fix: str) -> None:
    """Each contradiction is refused in a text that names the field and what to write."""
    with pytest.raises(ValidationError) as caught:
        SMTP(**{**ACCOUNT, "authentication": "xoauth2", **values})
    assert field in str(caught.value)
    assert fix in str(caught.value)


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
def test_the_password_may_be_the_access_token(mechanism: str) -> None:
    """Without a token URL, nothing is fetched."""
    config = SMTP(**ACCOUNT, password="token", authentication=mechanism).get_config()
    assert (config.mechanism, config.oauth) == (mechanism, None)


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_the_application_becomes_one_value(blank: str | None) -> None:
    """Blanks around are dropped, and a blank refresh token means client credentials."""
    values = {name: f" {value}\n" for name, value in APPLICATION.items()}
    values["oauth_client_secret"] = "secret\n"
    block = SMTP(
        **{**ACCOUNT, **values, "authentication": "xoauth2", "oauth_scope": " a b "},
        oauth_refresh_token=blank,
    )
    assert block.get_config().oauth == OAuthConfig(
        URL, "app", SecretStr("secret"), SecretStr(""), "a b"
    )
    assert block.get_config().credentials is not None


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]"])
def test_a_token_endpoint_on_this_host_needs_no_tls(host: str) -> None:
    """Nobody can read along there."""
    fields = {**APPLICATION, "oauth_token_url": f"http://{host}/token"}
    block = SMTP(**{**ACCOUNT, **fields, "authentication": "xoauth2"})
    assert block.oauth_token_url == f"http://{host}/token"


def test_a_refresh_token_needs_no_client_secret() -> None:
    """Some providers know applications without one."""
    fields = {**APPLICATION, "oauth_client_secret": "", "oauth_refresh_token": "r"}
    block = SMTP(**{**ACCOUNT, **fields, "authentication": "oauthbearer"})
    assert block.get_config().oauth is not None


def test_every_field_can_be_set_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """SMTP_OAUTH_CLIENT_SECRET and so on make the same block as its fields do."""
    fields = {**ACCOUNT, **APPLICATION, "authentication": "xoauth2", "oauth_refresh_token": "r"}
    for name, value in fields.items():
        monkeypatch.setenv(f"SMTP_{name.upper()}", value)
    assert SMTP(**fields_from_environment(SMTP)) == SMTP(**fields)


def test_a_variable_that_kubernetes_sets_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service named smtp puts its address into SMTP_PORT of every pod."""
    monkeypatch.setenv("SMTP_PORT", "tcp://10.0.0.1:25")
    with pytest.raises(InvalidField, match=r"^SMTP_PORT: is 'tcp://10.0.0.1:25': Kubernetes") as e:
        fields_from_environment(SMTP)
    assert "enableServiceLinks: false" in e.value.fix
