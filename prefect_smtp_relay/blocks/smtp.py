"""The SMTP block: every field of a team's mail server, with help texts for Prefect's form."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl, SecretStr, field_validator, model_validator

from prefect_smtp_relay.blocks import fields
from prefect_smtp_relay.blocks.base import RelayBlock, refuse_masked, without_empty_defaults
from prefect_smtp_relay.blocks.credentials import (
    check_client_certificate,
    check_credentials,
    oauth_config,
)
from prefect_smtp_relay.exceptions import InvalidMailbox
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.transports.base import Transport
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.smtp import Credentials, Limits, Mechanism, Security, SmtpConfig

_SECRETS = ("username", "password", "client_key", "oauth_client_secret", "oauth_refresh_token")


def _with_secret_address(schema: dict[str, Any], model: type[Block]) -> None:
    """Count the address among the secrets: else Prefect writes it in clear into its own events."""
    without_empty_defaults(schema, model)
    schema["secret_fields"] = ["address", *schema["secret_fields"]]


class SMTP(RelayBlock):
    """Send the e-mail of every flow through your own SMTP server.

    Once a block of this type is saved, `send_an_email` goes through it, with no change to any
    flow. The highest `priority` wins where several are connected.

    Example:
        Load a connected server:
        ```python
        from prefect_smtp_relay import SMTP

        relay = SMTP.load("BLOCK_NAME")
        ```
    """

    _block_type_name: ClassVar[str | None] = "SMTP"
    _block_type_slug: ClassVar[str | None] = "smtp"
    _logo_url: ClassVar[HttpUrl | None] = fields.LOGO_URL
    _documentation_url: ClassVar[HttpUrl | None] = fields.documentation_url("connect-smtp")
    _description: ClassVar[str | None] = (
        "Send the e-mail of every flow through your own SMTP server. Once a block is saved,"
        " `send_an_email` goes through it, with no change to any flow. Reload the page before you"
        " edit a saved block: Prefect's form can show defaults in place of what is saved."
    )

    model_config: ClassVar[ConfigDict] = ConfigDict(json_schema_extra=_with_secret_address)

    address: str = Field(
        title="Address",
        description="Host name of the SMTP server, such as smtp.example.org, without a scheme and"
        " without a port.",
        examples=["smtp.example.org"],
    )
    port: int = Field(
        default=587,
        ge=1,
        le=65535,
        title="Port",
        description="587 for submission, 465 for SMTPS (TLS from the first byte), 25 for relays.",
    )
    domain: str = Field(
        default="",
        title="HELO domain",
        description="The name to greet the server with; empty for this host's own name.",
    )
    username: SecretStr = Field(
        default=SecretStr(""),
        title="Username",
        description="The account on the server; empty for no authentication.",
    )
    password: SecretStr = Field(
        default=SecretStr(""),
        title="Password",
        description="Goes with the username; many providers want an app password here. Empty where"
        " the OAuth fields get an access token.",
    )
    authentication: Mechanism = Field(
        default="plain",
        title="Authentication",
        description="The mechanism for username and password; no other is tried. xoauth2 and"
        " oauthbearer take an OAuth access token in place of the password.",
    )
    enable_starttls: bool = Field(
        default=False,
        title="Force STARTTLS",
        description="Encrypt by STARTTLS, and fail where the server does not offer it.",
    )
    enable_starttls_auto: bool = Field(
        default=True,
        title="STARTTLS if offered",
        description="Encrypt by STARTTLS where the server offers it; where it does not, and SSL is"
        " off, go on in plain text.",
    )
    ssl: bool = Field(
        default=True,
        title="SSL",
        description="TLS from the first byte, as on port 465. With a STARTTLS switch on too, TLS is"
        " required, and begins as the server wants it: this works on port 587 too.",
    )
    ssl_verify_mode: Literal["none", "peer"] = Field(
        default="none",
        title="Verify certificate",
        description="With peer, the certificate's chain and host name are checked; with none, any"
        " certificate is accepted, self-signed ones too.",
    )
    from_address: str = Field(
        default="",
        title="From address",
        description="The sender where the flow names none, such as incidents@example.org.",
        examples=["Incidents <incidents@example.org>"],
    )
    reverse_path: str = Field(
        default="",
        title="Reverse-path",
        description="Who gets the non-delivery reports where the flow names nobody; empty for the"
        " sender.",
        examples=["bounces@example.org"],
    )
    priority: int = Field(
        default=0,
        title="Priority",
        description="Where several SMTP blocks are connected, the highest number wins.",
    )
    timeout_seconds: float = Field(
        default=30,
        gt=0,
        le=3600,
        title="Timeout in seconds",
        description="The longest wait for a connection, for each reply of the server, and for an"
        " access token.",
    )
    ca_certificate: str = Field(
        default="",
        title="CA certificate",
        description="PEM text of a certificate authority that peer trusts in addition to the"
        " system's.",
    )
    tls_server_name: str = Field(
        default="",
        title="TLS server name",
        description="The name that the certificate must be for, where the relay is reached by"
        " another name or by an IP address; empty for the address.",
    )
    client_certificate: str = Field(
        default="",
        title="Client certificate",
        description="PEM text of the certificate that this relay wants to see, with the chain"
        " after it; empty where it wants none.",
    )
    client_key: SecretStr = Field(
        default=SecretStr(""),
        title="Client key",
        description="PEM text of the client certificate's private key, without a passphrase.",
    )
    allow_cleartext_auth: bool = Field(
        default=False,
        title="Allow password in clear text",
        description="Dangerous: permit plain, login and access tokens without encryption, so that"
        " anybody on the way can read them.",
    )
    oauth_token_url: str = Field(
        default="",
        title="OAuth token URL",
        description="Where access tokens come from, for xoauth2 and oauthbearer; empty where the"
        " password is the access token.",
        examples=["https://oauth2.googleapis.com/token"],
    )
    oauth_client_id: str = Field(
        default="",
        title="OAuth client ID",
        description="Of the application that is registered with the provider.",
    )
    oauth_client_secret: SecretStr = Field(
        default=SecretStr(""),
        title="OAuth client secret",
        description="Of the same application; empty for one that has none.",
    )
    oauth_refresh_token: SecretStr = Field(
        default=SecretStr(""),
        title="OAuth refresh token",
        description="With it, access tokens are for the account that permitted the application;"
        " empty where the application has permissions of its own (client credentials).",
    )
    oauth_scope: str = Field(
        default="",
        title="OAuth scope",
        description="What the access token is for; empty for the provider's default.",
        examples=["https://outlook.office365.com/.default"],
    )
    messages_per_minute: fields.MessagesPerMinute = 0
    max_connections: fields.MaxConnections = 0

    _check_address = field_validator("address")(fields.check_host_name)
    _check_domain = field_validator("domain")(fields.check_helo_domain)
    _check_from = field_validator("from_address", "reverse_path")(fields.check_mailbox)
    _check_pem = field_validator("ca_certificate", "client_certificate")(fields.check_pem)
    _check_tls_name = field_validator("tls_server_name")(fields.check_tls_name)
    _check_key = field_validator("client_key")(fields.check_private_key)
    _check_token_url = field_validator("oauth_token_url")(fields.check_token_url)
    _strip = field_validator("oauth_client_id", "oauth_scope")(fields.strip_spaces)
    _strip_secrets = field_validator(*_SECRETS)(fields.strip_line_ends)
    _check_masked = field_validator("address", *_SECRETS, mode="before")(refuse_masked)

    @model_validator(mode="after")
    def _check_credentials(self) -> Self:
        check_credentials(self)
        check_client_certificate(self.client_certificate, self.client_key)
        return self

    def get_config(self) -> SmtpConfig:
        """What the transport needs to know, as one value."""
        has_credentials = bool(self.username.get_secret_value())
        return SmtpConfig(
            address=self.address,
            port=self.port,
            security=Security.of_switches(
                direct_tls=self.ssl,
                enable_starttls=self.enable_starttls,
                enable_starttls_auto=self.enable_starttls_auto,
            ),
            verify_peer=self.ssl_verify_mode == "peer",
            ca_certificate=self.ca_certificate,
            helo_domain=self.domain,
            credentials=Credentials(self.username, self.password) if has_credentials else None,
            mechanism=self.authentication,
            allow_cleartext_auth=self.allow_cleartext_auth,
            timeout_seconds=self.timeout_seconds,
            oauth=oauth_config(self),
            tls_server_name=self.tls_server_name,
            client_certificate=self.client_certificate,
            client_key=self.client_key,
            limits=Limits(kept_seconds=0) if self.max_connections else Limits(),
        )

    def get_transport(self) -> Transport:
        """Build the SMTP transport."""
        # Loaded with the first mail, not where a flow imports the block.
        from prefect_smtp_relay.transports.smtp.transport import SmtpTransport

        return SmtpTransport(self.get_config())

    def check(self, sender: str | None = None, recipient: str | None = None) -> Report:
        """Go every step to the server but the message itself, and say what to change.

        Args:
            sender: the mailbox to try as reverse-path; by default ``reverse_path``,
                else ``from_address``, else the username where it is an address.
            recipient: the mailbox to try as forward-path; by default the sender.

        Returns:
            The steps, and the settings that fit better. What the server does not take is a
            failed step, not an exception.

        Raises:
            InvalidMailbox: sender or recipient is not a mailbox.
        """
        own = sender or self.reverse_path or self.from_address or self.sender_after_default()
        # Only who checks a relay reads certificates, and waits for what that loads.
        from prefect_smtp_relay.transports.smtp.check import check_smtp

        return check_smtp(
            self.get_config(),
            Mailbox.parse(own, "sender") if own else None,
            Mailbox.parse(recipient, "recipient") if recipient else None,
        )

    def limits_over_all_workers(self) -> tuple[int, int]:
        """The fields that have one."""
        return self.messages_per_minute, self.max_connections

    def sender_before_default(self) -> str:
        """The field ``from_address``."""
        return self.from_address

    def bounces_to(self) -> str:
        """The field ``reverse_path``."""
        return self.reverse_path

    def sender_after_default(self) -> str:
        """The username, where it is an e-mail address."""
        try:
            return str(Mailbox.parse(self.username.get_secret_value(), "username"))
        except InvalidMailbox:
            return ""
