"""Which of an SMTP block's fields for authentication go together."""

from __future__ import annotations

from pydantic import SecretStr

from prefect_smtp_relay.blocks.secret_sources import chosen, read_secret, refuse_several
from prefect_smtp_relay.blocks.smtp_form import SmtpForm
from prefect_smtp_relay.exceptions import InvalidField
from prefect_smtp_relay.transports.smtp import OAuthConfig
from prefect_smtp_relay.transports.smtp.auth.mechanisms import WITH_TOKEN

SECRETS_ELSEWHERE = ("password", "oauth_client_secret", "oauth_refresh_token")
"""The secrets that need not be in the block itself."""

_AUTHENTICATION = "*Authentication* (`authentication`)"
_BOTH = "Set both or neither."


def check_credentials(block: SmtpForm) -> None:
    """Refuse fields that contradict each other, or one that is missing.

    Args:
        block: each field of it is valid by itself.

    Raises:
        InvalidField: naming the field, without any value.
    """
    refuse_several(block, SECRETS_ELSEWHERE)
    if block.authentication in WITH_TOKEN:
        _check_token(block)
    else:
        _check_password(block)


def oauth_config(block: SmtpForm) -> OAuthConfig | None:
    """Say where the block's access tokens come from; None where there is no token URL.

    Raises:
        RelayConfigurationError: a secret cannot be read.
    """
    if not block.oauth_token_url:
        return None
    return OAuthConfig(
        token_url=block.oauth_token_url,
        client_id=block.oauth_client_id,
        client_secret=read_secret(block, "oauth_client_secret"),
        refresh_token=read_secret(block, "oauth_refresh_token"),
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


def _check_password(block: SmtpForm) -> None:
    if (field := _first_oauth_field(block)) is not None:
        raise InvalidField(
            f"is set, but {_AUTHENTICATION} is {block.authentication}",
            f"Set {_AUTHENTICATION} to xoauth2 or oauthbearer, or clear the OAuth fields.",
            field=field,
        )
    password = chosen(block, "password")
    if block.username and not password:
        raise InvalidField("is empty, but there is a username", _BOTH, field="password")
    if password and not block.username:
        raise InvalidField("is empty, but there is a password", _BOTH, field="username")


def _check_token(block: SmtpForm) -> None:
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
    elif not chosen(block, "password"):
        raise InvalidField(
            f"is empty, and so is *Password* (`password`), but {_AUTHENTICATION} is {mechanism}",
            "Set *Advanced: OAuth token URL* (`oauth_token_url`) and *Advanced: OAuth client ID*"
            " (`oauth_client_id`), or an access token as *Password* (`password`).",
            field="oauth_token_url",
        )


def _check_oauth(block: SmtpForm) -> None:
    if password := chosen(block, "password"):
        raise InvalidField(
            "is the access token itself, but *Advanced: OAuth token URL* (`oauth_token_url`) gets"
            " one",
            "Clear one of them.",
            field=password,
        )
    if not block.oauth_client_id:
        raise InvalidField(
            "is empty, but *Advanced: OAuth token URL* (`oauth_token_url`) is set",
            "Write the application's ID.",
            field="oauth_client_id",
        )
    if not chosen(block, "oauth_client_secret") and not chosen(block, "oauth_refresh_token"):
        raise InvalidField(
            "is empty, and so is *Advanced: OAuth refresh token* (`oauth_refresh_token`)",
            "Set the secret, and the refresh token where an account permitted the application.",
            field="oauth_client_secret",
        )


def _first_oauth_field(block: SmtpForm) -> str | None:
    names = (name for name in type(block).model_fields if name.startswith("oauth_"))
    return next((name for name in names if getattr(block, name)), None)
