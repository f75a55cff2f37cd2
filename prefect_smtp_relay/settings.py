"""Settings of the integration: ``PREFECT_INTEGRATIONS_SMTP_RELAY_*``, or ``prefect.toml``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from prefect.settings import Settings, get_current_settings
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.settings.sources import (
    EnvFilterSettingsSource,
    FilteredDotEnvSettingsSource,
    PrefectTomlConfigSettingsSource,
    ProfileSettingsTomlLoader,
    PyprojectTomlConfigSettingsSource,
)
from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsError

from prefect_smtp_relay.exceptions import (
    EmailError,
    InvalidField,
    RelayConfigurationError,
    nearest,
)
from prefect_smtp_relay.mail.attachments.size_limit import SizeLimit
from prefect_smtp_relay.mail.headers.fields import check_text
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.sender import SenderPolicy
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.rendering.frame import check_web_address

_PREFIX = "PREFECT_INTEGRATIONS_SMTP_RELAY_"

_FILES: tuple[str | Path, ...] = (
    ".env",
    "prefect.toml",
    "pyproject.toml",
    Path.home() / ".prefect" / "profiles.toml",
)
"""What Prefect reads settings from, besides the file of profiles that is named elsewhere."""

_PREFECT_VARIABLES = ("PREFECT_HOME", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH")
"""They say which profile is read."""


def _split_commas(value: Any) -> Any:
    """Environment variables are ``a, b``; TOML has a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


class SmtpRelaySettings(PrefectBaseSettings):
    """What applies to every mail of this process, whichever relay takes it."""

    model_config = build_settings_config(("integrations", "smtp_relay"), frozen=True)
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
    invalid_values: Literal["leave_out", "refuse"] = Field(
        default="leave_out",
        description="What becomes of a value of context that cannot be in a mail, such as a"
        " recipient that is not an address: leave it out and say so, or refuse the mail.",
    )
    logo_url: str = Field(
        default="", description="The web address of the logo in the header of each mail."
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
    failover: bool = Field(
        default=False,
        description="Where a relay could be given nothing of a mail, the next connected one takes"
        " it at once.",
    )
    outbox_path: Path = Field(
        default_factory=lambda: get_current_settings().home / "smtp-relay" / "outbox",
        description="The directory of the outbox.",
    )
    outbox_key: Annotated[list[SecretStr], NoDecode, BeforeValidator(_split_commas)] = Field(
        default_factory=list,
        description="Fernet keys that encrypt the outbox; the first encrypts, all decrypt.",
    )
    outbox_accepts: Literal["own", "any"] = Field(
        default="own",
        description="Which files of the outbox are submitted: own (of this user, closed to others,"
        " encrypted where outbox_key is set), or any, while keys or users change.",
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
    capture_to: Path | None = Field(
        default=None, description="A directory: mails are written there as files; none leaves."
    )

    @property
    def size_limit(self) -> SizeLimit:
        """The same, for the checks of a mail."""
        return SizeLimit(self.max_attachment_megabytes, f"{_PREFIX}MAX_ATTACHMENT_MEGABYTES")

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *args: Any, **kwargs: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what Prefect reads, and refuse what is misspelt in any of it."""
        sources = super().settings_customise_sources(settings_cls, *args, **kwargs)
        for source in sources:
            _refuse_misspelt(_names_in(source), cls.model_fields)
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

    @field_validator("outbox_path", "capture_to")
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
    *(f"{_PREFIX}{name.upper()}" for name in SmtpRelaySettings.model_fields),
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


def configuration_error(
    error: ValidationError, label: Callable[[str], str], only: str = ""
) -> RelayConfigurationError:
    """Say which fields are wrong and how to fix them, without any value.

    Args:
        error: what Pydantic found.
        label: names a field as people know it.
        only: the one field to tell about, which is wrong.
    """
    errors = error.errors(include_input=False, include_url=False)
    found = [_problem(each, label) for each in errors if only in {"", *each["loc"][:1]}]
    if len(found) == 1:
        return found[0]
    return RelayConfigurationError("; ".join(str(each).rstrip(".") for each in found) + ".")


def _problem(found: ErrorDetails, label: Callable[[str], str]) -> InvalidField:
    raised = found.get("ctx", {}).get("error")
    place = list(map(str, found["loc"]))
    if not isinstance(raised, EmailError):
        raised = InvalidField(str(raised) if raised else found["msg"])
    place = place or [raised.field]
    return InvalidField(raised.problem, raised.fix, field=": ".join([label(place[0]), *place[1:]]))


def _read() -> SmtpRelaySettings:
    try:
        return SmtpRelaySettings()
    except SettingsError as error:
        raise RelayConfigurationError(str(error), "Correct that file.", field="settings") from None
    except ValidationError as error:
        wrong = configuration_error(error, lambda name: f"{_PREFIX}{name.upper()}")
        raise wrong.within("settings") from None


def _names_in(source: PydanticBaseSettingsSource) -> Iterator[tuple[str, str]]:
    """The names of settings of ours in a source, as they are written there, and where it is."""
    if isinstance(source, (PrefectTomlConfigSettingsSource, PyprojectTomlConfigSettingsSource)):
        yield from ((name, str(source.toml_file_path)) for name in source.toml_data)
    elif isinstance(source, ProfileSettingsTomlLoader):
        yield from _with_prefix(source.profile_settings, str(source.profiles_path))
    elif isinstance(source, FilteredDotEnvSettingsSource):
        yield from _with_prefix(source.env_vars, ".env")
    elif isinstance(source, EnvFilterSettingsSource):
        yield from _with_prefix(source.env_vars, "")


def _with_prefix(names: Iterable[str], file: str) -> Iterator[tuple[str, str]]:
    upper = (name.upper() for name in names)
    return ((name, file) for name in upper if name.startswith(_PREFIX))


def _refuse_misspelt(names: Iterable[tuple[str, str]], known: Iterable[str]) -> None:
    """A misspelt protected_domains would protect nothing, and nobody would know."""
    for name, file in names:
        prefix = _PREFIX if name.startswith(_PREFIX) else ""
        setting = name.removeprefix(prefix).lower()
        if setting in known:
            continue
        spelt = {n: f"{prefix}{n.upper()}" if prefix else n for n in known}
        near = spelt.get(nearest(setting, known))
        fix = f"Did you mean {near}?" if near else f"There are: {', '.join(spelt.values())}."
        where = f" in {file}" if file else ""
        raise RelayConfigurationError(f"there is no setting {name}{where}", fix, field="settings")


def _stamp(path: str | Path) -> tuple[int, ...] | None:
    """Tell a file's contents from others without reading them; None where there is no file."""
    if not os.access(path, os.F_OK):  # cheaper than an exception
        return None
    status = os.stat(path)  # noqa: PTH116  # a Path costs more than the question
    return status.st_mtime_ns, status.st_size, status.st_ino
