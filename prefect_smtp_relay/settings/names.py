"""The names of settings, wherever Prefect reads settings: a misspelt one is an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prefect.settings.sources import (
    EnvFilterSettingsSource,
    FilteredDotEnvSettingsSource,
    PrefectTomlConfigSettingsSource,
    ProfileSettingsTomlLoader,
    PyprojectTomlConfigSettingsSource,
)
from pydantic_settings import PydanticBaseSettingsSource

from prefect_smtp_relay.exceptions import RelayConfigurationError, nearest

PREFIX = "PREFECT_INTEGRATIONS_SMTP_RELAY_"

_REPLACED = {
    "outbox_path": "It was replaced by spool. `prefect-smtp-relay outbox import DIRECTORY` moves"
    " the mail of that directory into the spool.",
    "outbox_key": "It was replaced by spool_key.",
    "outbox_accepts": "It was replaced by spool_accepts.",
}
"""What settings of earlier versions became."""


def names_in(source: PydanticBaseSettingsSource) -> Iterator[tuple[str, str]]:
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
    return ((name, file) for name in upper if name.startswith(PREFIX))


def refuse_misspelt(names: Iterable[tuple[str, str]], known: Iterable[str]) -> None:
    """A misspelt protected_domains would protect nothing, and nobody would know."""
    for name, file in names:
        prefix = PREFIX if name.startswith(PREFIX) else ""
        setting = name.removeprefix(prefix).lower()
        if setting in known:
            continue
        spelt = {n: f"{prefix}{n.upper()}" if prefix else n for n in known}
        near = spelt.get(nearest(setting, known))
        otherwise = f"Did you mean {near}?" if near else f"There are: {', '.join(spelt.values())}."
        fix = _REPLACED.get(setting, otherwise)
        where = f" in {file}" if file else ""
        raise RelayConfigurationError(f"there is no setting {name}{where}", fix, field="settings")
