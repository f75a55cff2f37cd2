"""``preset``: how the common mail services take mail."""

from __future__ import annotations

from typing import Any

from prefect_smtp_relay.blocks.presets import PRESETS, Preset, find_preset
from prefect_smtp_relay.cli.answer import Answer, Json, Line, UsageError, beside, show
from prefect_smtp_relay.exceptions import RelayConfigurationError


def preset(name: str | None = None, /, *, as_json: Json = False) -> int:
    """List the mail services that are known by name, or show one with what to prepare.

    Args:
        name: One of the list.
        as_json: Print one JSON document.
    """
    if name is None:
        width = max(map(len, PRESETS))
        lines: list[Line] = [f"{p.name:<{width}}  {p.title}" for p in PRESETS.values()]
        data: Any = {"presets": [_as_data(found) for found in PRESETS.values()]}
        return show(Answer(data, lines), as_json=as_json)
    found = known(name)
    return show(Answer(_as_data(found), _describe(found)), as_json=as_json)


def known(name: str) -> Preset:
    """Return the preset of this name.

    Raises:
        UsageError: there is none.
    """
    try:
        return find_preset(name)
    except RelayConfigurationError as error:
        raise UsageError(str(error)) from None


def _describe(found: Preset) -> list[Line]:
    tls = "SSL (TLS from the first byte)" if found.ssl else "STARTTLS, required"
    tls = "off: it is on this host" if found.is_local else tls
    facts = {
        "address": found.address,
        "port": str(found.port),
        "TLS": tls,
        "authentication": found.authentication,
        "username": found.username,
        **{name: f"at most {value}" for name, value in found.limits.items() if value},
    }
    width = max(map(len, facts))
    lines: list[Line] = [found.title]
    lines += [beside(f"  {label:<{width}}  ", value) for label, value in facts.items()]
    lines += [beside("  - ", text) for text in found.advice]
    return [*lines, beside("", f"prefect-smtp-relay connect smtp --preset {found.name}")]


def _as_data(found: Preset) -> dict[str, Any]:
    return {
        "name": found.name,
        "title": found.title,
        "settings": found.settings,
        "username": found.username,
        "advice": found.advice,
    }
