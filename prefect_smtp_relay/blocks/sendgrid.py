"""The SendGrid block."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, HttpUrl, SecretStr, field_validator, model_validator

from prefect_smtp_relay.blocks import fields
from prefect_smtp_relay.blocks.base import (
    MessagesPerMinute,
    RelayBlock,
    priority_help,
    refuse_masked,
)
from prefect_smtp_relay.blocks.secret_fields import (
    SecretPath,
    SecretVariable,
    file_field,
    variable_field,
)
from prefect_smtp_relay.blocks.secret_sources import (
    check_with_secrets,
    chosen,
    read_secret,
    refuse_several,
)
from prefect_smtp_relay.exceptions import InvalidField
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.transports.base import Transport
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.sendgrid import SendGridConfig, SendGridTransport
from prefect_smtp_relay.transports.sendgrid.config import EU_URL, GLOBAL_URL, name_of

_SECRETS = ("api_key",)


class SendGrid(RelayBlock):
    """Send the e-mail of every flow through your SendGrid account.

    Used by `send_an_email` as soon as a block of this type is saved, unless an SMTP block is
    connected too.

    Example:
        Send through the connected account:
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
        from prefect_smtp_relay import SendGrid

        relay = SendGrid.load("BLOCK_NAME")
        print(relay.check())
        ```
    """

    _block_type_name: ClassVar[str | None] = "SendGrid"
    _block_type_slug: ClassVar[str | None] = "sendgrid"
    _logo_url: ClassVar[HttpUrl | None] = fields.LOGO_URL
    _documentation_url: ClassVar[HttpUrl | None] = fields.documentation_url("connect-sendgrid")
    _description: ClassVar[str | None] = (
        "Send the e-mail of every flow through your SendGrid account. Used by `send_an_email` as"
        " soon as a block is saved, unless an SMTP block is connected too."
    )

    api_key: SecretStr = Field(
        default=SecretStr(""),
        title="API key",
        description='A key with the permission "Mail Send"; it begins with "SG.". Required, unless'
        " it is in a file or variable (Advanced).",
    )
    from_address: str = Field(
        default="",
        title="From address",
        description="A sender that SendGrid has verified, such as incidents@example.org; used where"
        " the flow names none.",
        examples=["Incidents <incidents@example.org>"],
    )
    api_url: str = Field(
        default=GLOBAL_URL,
        title="API URL",
        description=f"For accounts in the EU: {EU_URL}. Empty: {GLOBAL_URL}.",
    )
    sandbox_mode: bool = Field(
        default=False,
        title="Advanced: Sandbox mode",
        description="SendGrid validates each message and delivers nothing.",
    )
    categories: list[str] = Field(
        default_factory=list,
        title="Advanced: Categories",
        description="Up to ten labels for SendGrid's statistics. Where the form wants JSON:"
        ' ["incidents", "prefect"].',
    )
    priority: int = Field(
        default=0,
        title="Advanced: Priority",
        description=priority_help("SendGrid"),
    )
    timeout_seconds: float = Field(
        default=30,
        gt=0,
        le=3600,
        title="Advanced: Timeout in seconds",
        description="The longest wait for SendGrid's answer. Empty: 30.",
    )
    api_key_file: SecretPath = file_field("API key", example="/run/secrets/smtp-relay/api-key")
    api_key_variable: SecretVariable = variable_field("API key", example="SENDGRID_API_KEY")
    messages_per_minute: MessagesPerMinute = 0

    _check_from = field_validator("from_address")(fields.check_mailbox)
    _check_url = field_validator("api_url")(fields.check_api_url)
    _check_categories = field_validator("categories")(fields.check_categories)
    _check_key = field_validator("api_key")(fields.check_api_key)
    _check_masked = field_validator("api_key", mode="before")(refuse_masked)

    @model_validator(mode="after")
    def _check_key_is_somewhere(self) -> Self:
        refuse_several(self, _SECRETS)
        if not chosen(self, "api_key"):
            raise InvalidField(
                "is empty", "Create a key with Mail Send in SendGrid's settings.", field="api_key"
            )
        return self

    @property
    def transport_name(self) -> str:
        """``sendgrid://HOST``."""
        return name_of(self.api_url)

    def get_config(self) -> SendGridConfig:
        """What the transport needs to know, as one value, with the key as it is now.

        Raises:
            RelayConfigurationError: it cannot be read.
        """
        return SendGridConfig(
            api_key=read_secret(self, "api_key", fields.check_api_key),
            api_url=self.api_url,
            sandbox_mode=self.sandbox_mode,
            categories=tuple(self.categories),
            timeout_seconds=self.timeout_seconds,
        )

    def get_transport(self) -> Transport:
        """Build the SendGrid transport."""
        return SendGridTransport(self.get_config())

    def check(self, sender: str | None = None) -> Report:
        """Ask SendGrid whether key, scopes and sender would do, and say what to change.

        Args:
            sender: the From mailbox to look up; by default ``from_address``.

        Returns:
            The steps. What SendGrid does not accept is a failed step, not an exception.

        Raises:
            InvalidMailbox: the sender is not a mailbox.
        """
        # httpx and its TLS context cost 100 ms to load: only who uses them pays.
        from prefect_smtp_relay.transports.sendgrid.check import STEPS, check_sendgrid

        own = sender or self.from_address
        mailbox = Mailbox.parse(own, "sender") if own else None
        return check_with_secrets(
            self,
            _SECRETS,
            STEPS,
            lambda: check_sendgrid(self.get_config(), mailbox),
            fields.check_api_key,
        )

    def limits_over_all_workers(self) -> tuple[int, int]:
        """The fields that have one."""
        return self.messages_per_minute, 0

    def sender_before_default(self) -> str:
        """The field ``from_address``."""
        return self.from_address
