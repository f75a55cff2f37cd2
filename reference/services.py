"""The mail services that are known by name: what to write into the form, and what to prepare."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.blocks.presets import PRESETS, Preset
from reference.tables import code, table

_OAUTH = ("the how-to page on OAuth", "see [OAuth](../how-to/oauth.md)")
_FIELDS = ("the `oauth_` fields", "the fields *Advanced: OAuth ...*")
_OTHER = re.compile(r"the preset ([\w-]+)")
_NAME = re.compile(r"`(\w+)`")


def all_services() -> str:
    """One section a service, in the order of the command ``preset``."""
    return "\n\n".join(map(_section, PRESETS.values()))


def _section(preset: Preset) -> str:
    values = {name: _shown(value) for name, value in preset.settings.items()}
    values["username"] = preset.username
    rows = [[_titled(name), values[name]] for name in SMTP.model_fields if name in values]
    return "\n\n".join(
        [
            f"## {preset.title}",
            table(["field", "value"], rows),
            "\n".join(f"- {line}" for line in _advice(preset)),
            f"In a terminal: `prefect-smtp-relay connect smtp --preset {preset.name}`",
        ]
    )


def _advice(preset: Preset) -> Iterator[str]:
    for line in preset.advice:
        named = _NAME.sub(lambda found: _titled(found[1]), line.replace(*_FIELDS))
        yield _OTHER.sub(lambda found: _linked(PRESETS[found[1]].title), named).replace(*_OAUTH)


def _linked(title: str) -> str:
    anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
    return f"[{title}](#{anchor})"


def _titled(name: str) -> str:
    field = SMTP.model_fields.get(name)
    return f"*{field.title}*" if field else code(name)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return code(value)
