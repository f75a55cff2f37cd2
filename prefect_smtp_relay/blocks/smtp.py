"""The SMTP block: a team's mail server, its fields checked, and the transport they describe."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from prefect.blocks.core import Block
from pydantic import ConfigDict, HttpUrl, field_validator, model_validator

from prefect_smtp_relay.blocks import fields
from prefect_smtp_relay.blocks.base import refuse_masked, without_defaults
from prefect_smtp_relay.blocks.credentials import (
    SECRETS_ELSEWHERE,
    check_client_certificate,
    check_credentials,
    oauth_config,
)
from prefect_smtp_relay.blocks.secret_sources import check_with_secrets, elsewhere, read_secret
from prefect_smtp_relay.blocks.smtp_form import SmtpForm
from prefect_smtp_relay.exceptions import InvalidMailbox
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.transports.base import Transport
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.smtp import Credentials, Limits, Security, SmtpConfig

_SECRETS = ("username", "password", "client_key", "oauth_client_secret", "oauth_refresh_token")


def _with_secret_address(schema: dict[str, Any], model: type[Block]) -> None:
    """Count the address among the secrets: else Prefect writes it in clear into its own events."""
    without_defaults(schema, model)
    schema["secret_fields"] = ["address", *schema["secret_fields"]]


class SMTP(SmtpForm):
    """Send the e-mail of every flow through your own SMTP server.

    Once a block of this type is saved, `send_an_email` goes through it, with no change to any
    flow. The highest `priority` wins where several are connected.

    Example:
        Send through the connected server:
        ```python
        from prefect import flow

        from prefect_smtp_relay import send_an_email


        @flow
        def tell() -> None:
            send_an_email("ann@example.org", "Disk full", "The disk of **db-1** is full.")


        tell()
        ```
        Check it from code:
        ```python
        from prefect_smtp_relay import SMTP

        relay = SMTP.load("BLOCK_NAME")
        print(relay.check())
        ```
    """

    _block_type_name: ClassVar[str | None] = "SMTP"
    _block_type_slug: ClassVar[str | None] = "smtp"
    _logo_url: ClassVar[HttpUrl | None] = fields.LOGO_URL
    _documentation_url: ClassVar[HttpUrl | None] = fields.documentation_url("connect-smtp")
    _description: ClassVar[str | None] = (
        "Send the e-mail of every flow through your own SMTP server. Once a block is saved,"
        " `send_an_email` goes through it, with no change to any flow."
    )

    model_config: ClassVar[ConfigDict] = ConfigDict(json_schema_extra=_with_secret_address)

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

    @property
    def transport_name(self) -> str:
        """``smtp://HOST:PORT``."""
        return SmtpConfig(self.address, self.port).name

    def get_config(self) -> SmtpConfig:
        """What the transport needs to know, as one value, with the secrets as they are now.

        Raises:
            RelayConfigurationError: one of them cannot be read.
        """
        password = read_secret(self, "password")
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
            credentials=Credentials(self.username, password) if self.username else None,
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
        from prefect_smtp_relay.transports.smtp.check import STEPS, check_smtp

        sender_mailbox = Mailbox.parse(own, "sender") if own else None
        recipient_mailbox = Mailbox.parse(recipient, "recipient") if recipient else None
        return check_with_secrets(
            self,
            SECRETS_ELSEWHERE,
            STEPS,
            lambda: check_smtp(
                self.get_config(), sender_mailbox, recipient_mailbox, written=self._written()
            ),
        )

    def _written(self) -> dict[str, str]:
        """The fields that are written in place of secrets, with those that are empty therefore."""
        fields = elsewhere(self, SECRETS_ELSEWHERE)
        places = {field: getattr(self, field) for field in fields.values()}
        return dict.fromkeys(fields, "") | places

    def limits_over_all_workers(self) -> tuple[int, int]:
        """The fields ``messages_per_minute`` and ``max_connections``."""
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
