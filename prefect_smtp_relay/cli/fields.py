"""The blocks' fields as options; secrets are none, for a command line is kept in histories."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from prefect_smtp_relay.blocks.documents import split_name
from prefect_smtp_relay.blocks.relays import SMTP, RelayBlock, SendGrid
from prefect_smtp_relay.cli.answer import UsageError
from prefect_smtp_relay.exceptions import UnknownRelay
from prefect_smtp_relay.transports.smtp import Mechanism


def refuse_malformed(relay: str) -> None:
    """Refuse what cannot be a relay's name, apart from a document that is not there.

    Raises:
        UsageError: it is not ``smtp/NAME`` or ``sendgrid/NAME``.
    """
    try:
        split_name(relay)
    except UnknownRelay as error:
        raise UsageError(str(error)) from None


_ADVANCED, _OAUTH = Group("Advanced", sort_key=1), Group("OAuth", sort_key=2)


def _of(block: type[RelayBlock], name: str, text: str | None = None) -> Parameter:
    """An option with the help text of its field, in the group that the field's title names."""
    field = block.model_fields[name]
    words = text or field.description
    if not str(field.title).startswith("Advanced: "):
        return Parameter(help=words)
    return Parameter(help=words, group=_OAUTH if name.startswith("oauth_") else _ADVANCED)


class _Given:
    """Tells the options that were given."""

    def given(self) -> dict[str, Any]:
        """Field names and values, those left out left out."""
        return {name: value for name, value in vars(self).items() if value is not None}


@Parameter(name="*")
@dataclass(frozen=True)
class SmtpFields(_Given):
    """The fields of the SMTP block, but the secrets themselves."""

    address: Annotated[str | None, _of(SMTP, "address")] = None
    port: Annotated[int | None, _of(SMTP, "port")] = None
    username: Annotated[str | None, _of(SMTP, "username")] = None
    from_address: Annotated[str | None, _of(SMTP, "from_address")] = None
    ssl: Annotated[bool | None, _of(SMTP, "ssl")] = None
    enable_starttls: Annotated[bool | None, _of(SMTP, "enable_starttls")] = None
    enable_starttls_auto: Annotated[bool | None, _of(SMTP, "enable_starttls_auto")] = None
    ssl_verify_mode: Annotated[Literal["none", "peer"] | None, _of(SMTP, "ssl_verify_mode")] = None
    ca_certificate: Annotated[
        Path | None,
        _of(SMTP, "ca_certificate", "A PEM file of a certificate authority to trust as well."),
    ] = None
    tls_server_name: Annotated[str | None, _of(SMTP, "tls_server_name")] = None
    client_certificate: Annotated[
        Path | None,
        _of(
            SMTP,
            "client_certificate",
            "A PEM file of the certificate that the relay wants to see.",
        ),
    ] = None
    client_key: Annotated[
        Path | None, _of(SMTP, "client_key", "A PEM file of its private key.")
    ] = None
    authentication: Annotated[Mechanism | None, _of(SMTP, "authentication")] = None
    domain: Annotated[str | None, _of(SMTP, "domain")] = None
    priority: Annotated[int | None, _of(SMTP, "priority")] = None
    timeout_seconds: Annotated[float | None, _of(SMTP, "timeout_seconds")] = None
    password_file: Annotated[str | None, _of(SMTP, "password_file")] = None
    password_variable: Annotated[str | None, _of(SMTP, "password_variable")] = None
    allow_cleartext_auth: Annotated[bool | None, _of(SMTP, "allow_cleartext_auth")] = None
    oauth_token_url: Annotated[str | None, _of(SMTP, "oauth_token_url")] = None
    oauth_client_id: Annotated[str | None, _of(SMTP, "oauth_client_id")] = None
    oauth_client_secret_file: Annotated[str | None, _of(SMTP, "oauth_client_secret_file")] = None
    oauth_client_secret_variable: Annotated[
        str | None, _of(SMTP, "oauth_client_secret_variable")
    ] = None
    oauth_refresh_token_file: Annotated[str | None, _of(SMTP, "oauth_refresh_token_file")] = None
    oauth_refresh_token_variable: Annotated[
        str | None, _of(SMTP, "oauth_refresh_token_variable")
    ] = None
    oauth_scope: Annotated[str | None, _of(SMTP, "oauth_scope")] = None
    messages_per_minute: Annotated[int | None, _of(SMTP, "messages_per_minute")] = None
    max_connections: Annotated[int | None, _of(SMTP, "max_connections")] = None

    def given(self) -> dict[str, Any]:
        """As for any block; certificates and the key are read from their files.

        Raises:
            UsageError: it cannot be read.
        """
        fields = super().given()
        for name, file in [(n, value) for n, value in fields.items() if isinstance(value, Path)]:
            try:
                fields[name] = file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "it is not a text"
                option = name.replace("_", "-")
                raise UsageError(f"--{option}: {file}: {reason}.") from error
        return fields


@Parameter(name="*")
@dataclass(frozen=True)
class SendGridFields(_Given):
    """The fields of the SendGrid block, but the key itself."""

    from_address: Annotated[str | None, _of(SendGrid, "from_address")] = None
    api_url: Annotated[str | None, _of(SendGrid, "api_url")] = None
    sandbox_mode: Annotated[bool | None, _of(SendGrid, "sandbox_mode")] = None
    categories: Annotated[list[str] | None, _of(SendGrid, "categories")] = None
    priority: Annotated[int | None, _of(SendGrid, "priority")] = None
    timeout_seconds: Annotated[float | None, _of(SendGrid, "timeout_seconds")] = None
    api_key_file: Annotated[str | None, _of(SendGrid, "api_key_file")] = None
    api_key_variable: Annotated[str | None, _of(SendGrid, "api_key_variable")] = None
    messages_per_minute: Annotated[int | None, _of(SendGrid, "messages_per_minute")] = None
