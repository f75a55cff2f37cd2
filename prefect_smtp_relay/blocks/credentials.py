"""Which of an SMTP block's fields for authentication go together."""

from __future__ import annotations

from typing import Protocol

from pydantic import SecretStr

from prefect_smtp_relay.exceptions import InvalidField
from prefect_smtp_relay.transports.smtp import Mechanism, OAuthConfig
from prefect_smtp_relay.transports.smtp.auth.mechanisms import WITH_TOKEN


class HasCredentials(Protocol):
    """The fields that are looked at."""

    authentication: Mechanism
    username: SecretStr
    password: SecretStr
    oauth_token_url: str
    oauth_client_id: str
    oauth_client_secret: SecretStr
    oauth_refresh_token: SecretStr
    oauth_scope: str


_OAUTH_FIELDS = tuple(name for name in HasCredentials.__annotations__ if name.startswith("oauth_"))
_AUTHENTICATION = "*Authentication* (`authentication`)"
_BOTH = "Set both or neither."


def check_credentials(block: HasCredentials) -> None:
    """Refuse fields that contradict each other, or one that is missing.

    Args:
        block: each field of it is valid by itself.

    Raises:
        InvalidField: naming the field, without any value.
    """
    if block.authentication in WITH_TOKEN:
        _check_token(block)
    else:
        _check_password(block)


def oauth_config(block: HasCredentials) -> OAuthConfig | None:
    """Say where the block's access tokens come from; None where there is no token URL."""
    if not block.oauth_token_url:
        return None
    return OAuthConfig(
        token_url=block.oauth_token_url,
        client_id=block.oauth_client_id,
        client_secret=block.oauth_client_secret,
        refresh_token=block.oauth_refresh_token,
        scope=block.oauth_scope,
    )


def check_client_certificate(certificate: str, key: SecretStr) -> None:
    """Refuse a client certificate without its key, or the other way about.

    Raises:
        InvalidField: naming the field that is empty.
    """
    if certificate and not key:
        raise InvalidField("is empty, but there is a certificate", _BOTH, field="client_key")
    if key and not certificate:
        raise InvalidField("is empty, but there is a key", _BOTH, field="client_certificate")


def _check_password(block: HasCredentials) -> None:
    if (field := _first_oauth_field(block)) is not None:
        raise InvalidField(
            f"is set, but {_AUTHENTICATION} is {block.authentication}",
            f"Set {_AUTHENTICATION} to xoauth2 or oauthbearer, or clear the OAuth fields.",
            field=field,
        )
    if block.username and not block.password:
        raise InvalidField("is empty, but there is a username", _BOTH, field="password")
    if block.password and not block.username:
        raise InvalidField("is empty, but there is a password", _BOTH, field="username")


def _check_token(block: HasCredentials) -> None:
    mechanism = block.authentication
    if not block.username:
        raise InvalidField(
            f"is empty, but {_AUTHENTICATION} is {mechanism}",
            "Write the address of the mailbox.",
            field="username",
        )
    if block.oauth_token_url:
        _check_oauth(block)
    elif (field := _first_oauth_field(block)) is not None:
        raise InvalidField(
            f"is empty, but `{field}` is set",
            "Write the provider's token endpoint, or clear the OAuth fields.",
            field="oauth_token_url",
        )
    elif not block.password:
        raise InvalidField(
            f"is empty, and so is *Password* (`password`), but {_AUTHENTICATION} is {mechanism}",
            "Set *Advanced: OAuth token URL* (`oauth_token_url`) and *Advanced: OAuth client ID*"
            " (`oauth_client_id`), or an access token as *Password* (`password`).",
            field="oauth_token_url",
        )


def _check_oauth(block: HasCredentials) -> None:
    if block.password:
        raise InvalidField(
            "is the access token itself, but *Advanced: OAuth token URL* (`oauth_token_url`) gets"
            " one",
            "Clear one of them.",
            field="password",
        )
    if not block.oauth_client_id:
        raise InvalidField(
            "is empty, but *Advanced: OAuth token URL* (`oauth_token_url`) is set",
            "Write the application's ID.",
            field="oauth_client_id",
        )
    if not block.oauth_client_secret and not block.oauth_refresh_token:
        raise InvalidField(
            "is empty, and so is *Advanced: OAuth refresh token* (`oauth_refresh_token`)",
            "Set the secret, and the refresh token where an account permitted the application.",
            field="oauth_client_secret",
        )


def _first_oauth_field(block: HasCredentials) -> str | None:
    return next((name for name in _OAUTH_FIELDS if getattr(block, name)), None)
