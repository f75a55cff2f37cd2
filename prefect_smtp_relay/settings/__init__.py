"""Settings of the integration: ``PREFECT_INTEGRATIONS_SMTP_RELAY_*``, or ``prefect.toml``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from prefect.settings import Settings, get_current_settings
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.settings.sources import ProfileSettingsTomlLoader
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    Secret,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsError

from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.mail.attachments.size_limit import SizeLimit
from prefect_smtp_relay.mail.headers.fields import check_text
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.recipients import RecipientPolicy
from prefect_smtp_relay.mail.sender import SenderPolicy
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.rendering.frame import check_web_address
from prefect_smtp_relay.settings.errors import configuration_error
from prefect_smtp_relay.settings.names import PREFIX, names_in, refuse_misspelt
from prefect_smtp_relay.settings.values import (
    SECRET_FILES,
    check_patterns,
    check_time_zone,
    read_duration,
    read_json,
    refuse_url,
    split_commas,
)
from prefect_smtp_relay.spool import Spool, open_spool

_FILES: tuple[str | Path, ...] = (
    ".env",
    "prefect.toml",
    "pyproject.toml",
    Path.home() / ".prefect" / "profiles.toml",
)
"""What Prefect reads settings from, besides the file of profiles that is named elsewhere."""

_PREFECT_VARIABLES = ("PREFECT_HOME", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH")
"""They say which profile is read."""


class SmtpRelaySettings(PrefectBaseSettings):
    """What applies to every mail of this process, whichever relay takes it."""

    model_config = build_settings_config(("integrations", "smtp_relay"), frozen=True)
    model_config["hide_input_in_errors"] = True

    default_from: str = Field(
        default="",
        description="The From mailbox where neither the action nor the block names one.",
    )
    protected_domains: Annotated[list[str], NoDecode, BeforeValidator(split_commas)] = Field(
        default_factory=list,
        description="Domains, with their subdomains, that no workflow may use as a sender.",
    )
    redirect_to: str = Field(
        default="", description="For staging: one mailbox that gets every mail, and nobody else."
    )
    allowed_recipients: Annotated[list[str], NoDecode, BeforeValidator(split_commas)] = Field(
        default_factory=list,
        description="For staging: addresses and domains that may get mail; empty for everybody.",
    )
    group_within: str = Field(
        default="",
        description="How long hooks and automations count failures like one that was mailed: 15m.",
    )
    default_delivery: Literal["store", "refuse"] = Field(
        default="store",
        description="Where no relay is connected: store mail in the outbox, or refuse it.",
    )
    invalid_values: Literal["leave_out", "refuse"] = Field(
        default="leave_out",
        description="What becomes of a value of context that cannot be in a mail, such as a"
        " recipient that is not an address: leave it out and say so, or refuse the mail.",
    )
    logo_url: str = Field(
        default="", description="The web address of the logo in the header of each mail."
    )
    header_name: str = Field(
        default="",
        description="The name in the header of each mail, in place of a logo and as its text; empty"
        " for the sender's display name.",
    )
    language: str = Field(
        default="en",
        description="The language that mails are written in, for programs that read them aloud.",
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$",
    )
    failover: bool = Field(
        default=False,
        description="Where a relay could be given nothing of a mail, the next connected one takes"
        " it at once.",
    )
    time_zone: Annotated[str, AfterValidator(check_time_zone)] = Field(
        default="UTC",
        description="The time zone of the dates in reports and digests, such as Europe/Berlin.",
    )
    spool: str = Field(
        default_factory=lambda: str(get_current_settings().home / "smtp-relay" / "spool"),
        description="Where mail waits and keys are kept: a directory, or a URL such as"
        " s3://bucket/mail that all hosts share.",
    )
    spool_options: Annotated[Secret[dict[str, Any]], NoDecode, BeforeValidator(read_json)] = Field(
        default_factory=lambda: Secret({}),
        description="For a spool at a URL: options of its fsspec file system, as JSON.",
    )
    spool_key: Annotated[list[SecretStr], NoDecode, BeforeValidator(split_commas)] = Field(
        default_factory=list,
        description="Fernet keys that encrypt the spool; the first encrypts, all decrypt. Required"
        " where the spool is not a directory.",
    )
    spool_accepts: Literal["own", "any"] = Field(
        default="own",
        description="Which files of the spool are taken: own (of this user, closed to others,"
        " encrypted where spool_key is set), or any, while keys or users change.",
    )
    keep_keys_days: int = Field(
        default=30,
        ge=1,
        description="How long the spool remembers, after the last try of a mail, that its"
        " idempotency_key was used.",
    )
    unknown_outcome: Literal["retry", "keep"] = Field(
        default="retry",
        description="Where the answer was lost and a mail may have been accepted: retry at most"
        " twice, or keep it in the outbox.",
    )
    max_text_megabytes: int = Field(
        default=2, ge=1, description="The size of one text of a mail with its values: the body."
    )
    max_attachment_megabytes: int = Field(
        default=25,
        ge=1,
        description="How large the attachments and inline images of a mail may be, in all.",
    )
    secret_files: Annotated[
        list[str], NoDecode, BeforeValidator(split_commas), AfterValidator(check_patterns)
    ] = Field(
        default_factory=lambda: list(SECRET_FILES),
        description="The files that a block may name in place of a secret: a directory, and a name"
        " with or without a *.",
    )
    capture_to: Annotated[Path | None, BeforeValidator(refuse_url)] = Field(
        default=None, description="A directory: mails are written there as files; none leaves."
    )

    @property
    def size_limit(self) -> SizeLimit:
        """The same, for the checks of a mail."""
        return SizeLimit(self.max_attachment_megabytes, f"{PREFIX}MAX_ATTACHMENT_MEGABYTES")

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *args: Any, **kwargs: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what Prefect reads, and refuse what is misspelt in any of it."""
        sources = super().settings_customise_sources(settings_cls, *args, **kwargs)
        for source in sources:
            refuse_misspelt(names_in(source), cls.model_fields)
        return sources

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, values: dict[str, Any]) -> dict[str, Any]:
        """An empty setting is the default, not, for example, the current directory."""
        return {
            name: value
            for name, value in values.items()
            if not (isinstance(value, str) and not value.strip())
        }

    @field_validator("default_from", "redirect_to")
    @classmethod
    def _is_mailbox(cls, value: str) -> str:
        return str(Mailbox.parse(value, "")) if value else ""

    @field_validator("allowed_recipients")
    @classmethod
    def _are_recipients(cls, value: list[str]) -> list[str]:
        RecipientPolicy.allowing(value)
        return value

    @field_validator("group_within")
    @classmethod
    def _is_duration(cls, value: str) -> str:
        read_duration(value)
        return value

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

    @model_validator(mode="after")
    def _spool_can_be_opened(self) -> SmtpRelaySettings:
        """A spool that cannot be opened would be found out by the first mail that fails."""
        self.open_spool()
        return self

    def open_spool(self) -> Spool:
        """Open the spool; nothing is read or written yet."""
        options = self.spool_options.get_secret_value()
        accepts_any = self.spool_accepts == "any"
        return open_spool(self.spool, self.spool_key, options, accepts_any=accepts_any)

    @field_validator("capture_to")
    @classmethod
    def _expand(cls, value: Path | None) -> Path | None:
        return value and value.expanduser()


class _Last(NamedTuple):
    """The settings as they were read last, and what they were read from."""

    state: tuple[object, ...]
    prefect: Settings
    profiles: Path
    settings: SmtpRelaySettings


class _Memory:
    def __init__(self) -> None:
        self.last: _Last | None = None


_VARIABLES = (
    *(f"{PREFIX}{name.upper()}" for name in SmtpRelaySettings.model_fields),
    *_PREFECT_VARIABLES,
)


def current_settings() -> SmtpRelaySettings:
    """Return the settings as they are now; they are read again where something has changed.

    Raises:
        RelayConfigurationError: one of them is invalid, or misspelt: the text names the variable.
    """
    memory, prefect = process_memory.of(_Memory), get_current_settings()
    last = memory.last
    if last and last.prefect is prefect and last.state == _state(last.profiles):
        return last.settings
    profiles = ProfileSettingsTomlLoader(SmtpRelaySettings).profiles_path
    state, settings = _state(profiles), _read()
    memory.last = _Last(state, prefect, profiles, settings)
    return settings


def _state(profiles: Path) -> tuple[object, ...]:
    """Tell what settings are read from, as far as it is cheap to ask: some 20 microseconds.

    Variables are counted too: one whose name is misspelt is new.
    """
    values = map(os.environ.get, _VARIABLES)
    return len(os.environ), *values, *map(_stamp, _FILES), _stamp(profiles)


def _read() -> SmtpRelaySettings:
    try:
        return SmtpRelaySettings()
    except SettingsError as error:
        raise RelayConfigurationError(str(error), "Correct that file.", field="settings") from None
    except ValidationError as error:
        wrong = configuration_error(error, lambda name: f"{PREFIX}{name.upper()}")
        raise wrong.within("settings") from None


def _stamp(path: str | Path) -> tuple[int, ...] | None:
    """Tell a file's contents from others without reading them; None where there is no file."""
    if not os.access(path, os.F_OK):  # cheaper than an exception
        return None
    status = os.stat(path)  # noqa: PTH116  # a Path costs more than the question
    return status.st_mtime_ns, status.st_size, status.st_ino
