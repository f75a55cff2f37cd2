"""Which of an SMTP block's fields for authentication go together."""

from __future__ import annotations

from typing import Protocol

from pydantic import SecretStr

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


def check_credentials(block: HasCredentials) -> None:
    """Refuse fields that contradict each other, or one that lacks.

    Args:
        block: each field of it is valid by itself.

    Raises:
        ValueError: the text begins with the field, ends with the fix, and shows no value.
    """
    if block.authentication in WITH_TOKEN:
        _check_token(block)
    else:
        _check_password(block)


def oauth_config(block: HasCredentials) -> OAuthConfig | None:
    """Say where the block's access tokens come from; None where it holds no token URL."""
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
        ValueError: the text begins with the field, and ends with the fix.
    """
    if certificate and not key:
        raise ValueError("client_key: is empty, but there is a client_certificate; set both")
    if key and not certificate:
        raise ValueError("client_certificate: is empty, but there is a client_key; set both")


def _check_password(block: HasCredentials) -> None:
    if (field := _first_oauth_field(block)) is not None:
        raise ValueError(
            f"{field}: is set, but authentication is {block.authentication}; set authentication to"
            " xoauth2 or oauthbearer, or clear the fields that begin with oauth_"
        )
    if block.username and not block.password:
        raise ValueError("password: is blank, but there is a username; set both or neither")
    if block.password and not block.username:
        raise ValueError("username: is blank, but there is a password; set both or neither")


def _check_token(block: HasCredentials) -> None:
    mechanism = block.authentication
    if not block.username:
        raise ValueError(
            f"username: is blank, but authentication is {mechanism}; write the address of the"
            " mailbox"
        )
    if block.oauth_token_url:
        _check_oauth(block)
    elif (field := _first_oauth_field(block)) is not None:
        raise ValueError(
            f"oauth_token_url: is blank, but {field} is set; write the provider's token endpoint,"
            " or clear the fields that begin with oauth_"
        )
    elif not block.password:
        raise ValueError(
            f"oauth_token_url: is blank, and so is password, but authentication is {mechanism}; set"
            " oauth_token_url and oauth_client_id, or an access token as password"
        )


def _check_oauth(block: HasCredentials) -> None:
    if block.password:
        raise ValueError(
            "password: is the access token itself, but oauth_token_url gets one; clear one of them"
        )
    if not block.oauth_client_id:
        raise ValueError(
            "oauth_client_id: is blank, but there is an oauth_token_url; write the application's id"
        )
    if not block.oauth_client_secret and not block.oauth_refresh_token:
        raise ValueError(
            "oauth_client_secret: is blank, and so is oauth_refresh_token; set the secret, and the"
            " refresh token where an account permitted the application"
        )


def _first_oauth_field(block: HasCredentials) -> str | None:
    return next((name for name in _OAUTH_FIELDS if getattr(block, name)), None)
