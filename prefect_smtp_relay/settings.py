"""Settings of the integration: ``PREFECT_INTEGRATIONS_SMTP_RELAY_*``, or ``prefect.toml``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from prefect.settings import get_current_settings
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode, SettingsError

from prefect_smtp_relay.exceptions import RelayConfigurationError, nearest
from prefect_smtp_relay.mail.attachments.size_limit import SizeLimit
from prefect_smtp_relay.mail.headers.fields import check_text
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.sender import SenderPolicy
from prefect_smtp_relay.rendering import check_web_address

_PREFIX = "PREFECT_INTEGRATIONS_SMTP_RELAY_"


def _split_commas(value: Any) -> Any:
    """Environment variables hold ``a, b``; TOML holds a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


class SmtpRelaySettings(PrefectBaseSettings):
    """What holds for every mail of this process, whichever relay takes it."""

    model_config = build_settings_config(("integrations", "smtp_relay"))
    model_config["hide_input_in_errors"] = True

    default_from: str = Field(
        default="",
        description="The From mailbox where neither the action nor the block names one.",
    )
    protected_domains: Annotated[list[str], NoDecode, BeforeValidator(_split_commas)] = Field(
        default_factory=list,
        description="Domains, with their subdomains, that no workflow may use as a sender.",
    )
    default_delivery: Literal["store", "refuse"] = Field(
        default="store",
        description="Where no relay is connected: store mail in the outbox, or refuse it.",
    )
    logo_url: str = Field(
        default="",
        description="The web address of the logo in the header of each mail.",
    )
    header_name: str = Field(
        default="Prefect",
        description="The name in the header of each mail: in place of a logo, and as its text.",
    )
    language: str = Field(
        default="en",
        description="The language that mails are written in, for programs that read them aloud.",
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$",
    )
    outbox_path: Path = Field(
        default_factory=lambda: get_current_settings().home / "smtp-relay" / "outbox",
        description="The directory of the outbox.",
    )
    outbox_key: Annotated[list[SecretStr], NoDecode, BeforeValidator(_split_commas)] = Field(
        default_factory=list,
        description="Fernet keys that encrypt the outbox; the first encrypts, all decrypt.",
    )
    max_attachment_megabytes: int = Field(
        default=25,
        ge=1,
        description="How much the attachments and inline images of a mail may hold, in all.",
    )

    @property
    def size_limit(self) -> SizeLimit:
        """The same, for the checks of a mail."""
        return SizeLimit(self.max_attachment_megabytes, f"{_PREFIX}MAX_ATTACHMENT_MEGABYTES")

    @model_validator(mode="before")
    @classmethod
    def _drop_blank(cls, values: dict[str, Any]) -> dict[str, Any]:
        """A blank setting is the default, not, for example, the current directory."""
        return {
            name: value
            for name, value in values.items()
            if not (isinstance(value, str) and not value.strip())
        }

    @field_validator("default_from")
    @classmethod
    def _is_mailbox(cls, value: str) -> str:
        return str(Mailbox.parse(value, "default_from")) if value else ""

    @field_validator("protected_domains")
    @classmethod
    def _are_domains(cls, value: list[str]) -> list[str]:
        SenderPolicy.protecting(value)
        return value

    @field_validator("logo_url")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        return check_web_address(value.strip(), "logo_url")

    @field_validator("header_name")
    @classmethod
    def _is_one_line(cls, value: str) -> str:
        return check_text(value, "header_name")

    @field_validator("outbox_path")
    @classmethod
    def _expand(cls, value: Path) -> Path:
        return value.expanduser()


def current_settings() -> SmtpRelaySettings:
    """Read the settings as they are now.

    Raises:
        RelayConfigurationError: one of them is invalid, or misspelt: the text names the variable.
    """
    _refuse_misspelt()
    try:
        return SmtpRelaySettings()
    except SettingsError as error:
        raise RelayConfigurationError(f"settings: {error}. Correct that file.") from None
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        texts = "; ".join(_describe(str(found["loc"][0]), found["msg"]) for found in problems)
        raise RelayConfigurationError(f"settings: {texts}") from None


def _refuse_misspelt() -> None:
    """A misspelt protected_domains would protect nothing, and nobody would know."""
    known = [f"{_PREFIX}{name.upper()}" for name in SmtpRelaySettings.model_fields]
    for variable in os.environ:
        if variable.startswith(_PREFIX) and variable not in known:
            near = nearest(variable.removeprefix(_PREFIX), (n.removeprefix(_PREFIX) for n in known))
            hint = f"did you mean {_PREFIX}{near}?" if near else f"known are {', '.join(known)}."
            raise RelayConfigurationError(f"settings: there is no setting {variable}; {hint}")


def _describe(name: str, problem: str) -> str:
    text = problem.removeprefix("Value error, ").removeprefix(f"{name}: ")
    return f"{_PREFIX}{name.upper()}: {text}"
