"""The fields of the SMTP block as Prefect's form shows them: in the order of use, with help."""

from __future__ import annotations

from abc import ABC
from typing import Literal

from pydantic import Field, SecretStr

from prefect_smtp_relay.blocks.base import (
    MessagesPerMinute,
    OnByDefault,
    RelayBlock,
    priority_help,
)
from prefect_smtp_relay.blocks.secret_fields import (
    SecretPath,
    SecretVariable,
    file_field,
    variable_field,
)
from prefect_smtp_relay.transports.smtp import Mechanism


class SmtpForm(RelayBlock, ABC):
    """What few need comes last, and says so in its title."""

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
        description="587 for submission, 465 for SMTPS (TLS from the first byte), 25 for relays."
        " Empty: 587.",
    )
    username: SecretStr = Field(
        default=SecretStr(""),
        title="Username",
        description="The account on the server. Empty: no authentication.",
    )
    password: SecretStr = Field(
        default=SecretStr(""),
        title="Password",
        description="Goes with the username; many providers want an app password here. Empty where"
        " it is in a file or variable (Advanced), or the OAuth fields get an access token.",
    )
    ssl: OnByDefault = Field(
        default=True,
        title="SSL",
        description="TLS from the first byte, as on port 465. With a STARTTLS switch on too, TLS is"
        " required, and begins as the server wants it: this works on port 587 too. Empty: on.",
    )
    enable_starttls: bool = Field(
        default=False,
        title="Force STARTTLS",
        description="Encrypt by STARTTLS, and fail where the server does not offer it.",
    )
    enable_starttls_auto: OnByDefault = Field(
        default=True,
        title="STARTTLS if offered",
        description="Encrypt by STARTTLS where the server offers it; where it does not, and SSL is"
        " off, go on in plain text. Empty: on.",
    )
    ssl_verify_mode: Literal["none", "peer"] = Field(
        default="none",
        title="Verify certificate",
        description="With peer, the certificate's chain and host name are checked; with none, any"
        " certificate is accepted, self-signed ones too. Empty: none.",
    )
    from_address: str = Field(
        default="",
        title="From address",
        description="The sender where the flow names none, such as incidents@example.org.",
        examples=["Incidents <incidents@example.org>"],
    )
    authentication: Mechanism = Field(
        default="plain",
        title="Authentication",
        description="The mechanism for username and password; no other is tried. xoauth2 and"
        " oauthbearer take an OAuth access token in place of the password. Empty: plain.",
    )
    domain: str = Field(
        default="",
        title="Advanced: HELO domain",
        description="The name to greet the server with. Empty: this host's own name.",
    )
    reverse_path: str = Field(
        default="",
        title="Advanced: Reverse-path",
        description="Who gets the non-delivery reports where the flow names nobody. Empty: the"
        " sender.",
        examples=["bounces@example.org"],
    )
    priority: int = Field(
        default=0,
        title="Advanced: Priority",
        description=priority_help("SMTP"),
    )
    timeout_seconds: float = Field(
        default=30,
        gt=0,
        le=3600,
        title="Advanced: Timeout in seconds",
        description="The longest wait for a connection, for each reply of the server, and for an"
        " access token. Empty: 30.",
    )
    password_file: SecretPath = file_field("Password", example="/run/secrets/smtp-relay/password")
    password_variable: SecretVariable = variable_field("Password", example="SMTP_PASSWORD")
    ca_certificate: str = Field(
        default="",
        title="Advanced: CA certificate",
        description="PEM text of a certificate authority that peer trusts in addition to the"
        " system's.",
    )
    tls_server_name: str = Field(
        default="",
        title="Advanced: TLS server name",
        description="The name that the certificate must be for, where the relay is reached by"
        " another name or by an IP address. Empty: the address.",
    )
    client_certificate: str = Field(
        default="",
        title="Advanced: Client certificate",
        description="PEM text of the certificate that this relay wants to see, with the chain"
        " after it; empty where it wants none.",
    )
    client_key: SecretStr = Field(
        default=SecretStr(""),
        title="Advanced: Client key",
        description="PEM text of the client certificate's private key, without a passphrase.",
    )
    allow_cleartext_auth: bool = Field(
        default=False,
        title="Advanced: Allow password in clear text",
        description="Dangerous: permit plain, login and access tokens without encryption, so that"
        " anybody on the way can read them.",
    )
    oauth_token_url: str = Field(
        default="",
        title="Advanced: OAuth token URL",
        description="Where access tokens come from, for xoauth2 and oauthbearer; empty where the"
        " password is the access token.",
        examples=["https://oauth2.googleapis.com/token"],
    )
    oauth_client_id: str = Field(
        default="",
        title="Advanced: OAuth client ID",
        description="Of the application that is registered with the provider.",
    )
    oauth_client_secret: SecretStr = Field(
        default=SecretStr(""),
        title="Advanced: OAuth client secret",
        description="Of the same application; empty for one that has none.",
    )
    oauth_client_secret_file: SecretPath = file_field(
        "OAuth client secret", example="/run/secrets/smtp-relay/client-secret"
    )
    oauth_client_secret_variable: SecretVariable = variable_field(
        "OAuth client secret", example="SMTP_OAUTH_CLIENT_SECRET"
    )
    oauth_refresh_token: SecretStr = Field(
        default=SecretStr(""),
        title="Advanced: OAuth refresh token",
        description="With it, access tokens are for the account that permitted the application;"
        " empty where the application has permissions of its own (client credentials).",
    )
    oauth_refresh_token_file: SecretPath = file_field(
        "OAuth refresh token", example="/run/secrets/smtp-relay/refresh-token"
    )
    oauth_refresh_token_variable: SecretVariable = variable_field(
        "OAuth refresh token", example="SMTP_OAUTH_REFRESH_TOKEN"
    )
    oauth_scope: str = Field(
        default="",
        title="Advanced: OAuth scope",
        description="What the access token is for. Empty: the provider's default.",
        examples=["https://outlook.office365.com/.default"],
    )
    messages_per_minute: MessagesPerMinute = 0
    max_connections: int = Field(
        default=0,
        ge=0,
        title="Advanced: Most connections",
        description="How many connections all workers together have open; with a limit, none is"
        " kept between mails. Empty: no limit.",
    )
