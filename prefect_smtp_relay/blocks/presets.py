"""Address, port, TLS and mechanism of well-known mail services, and what to know before using one.

The data is in presets.toml, from the services' own documentation. Those on other hosts have
certificates that every system trusts, so that the certificate is checked.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect_smtp_relay.exceptions import RelayConfigurationError, nearest
from prefect_smtp_relay.transports.masking import mask


@dataclass(frozen=True)
class Preset:
    """How one service takes mail.

    Args:
        name: for ``--preset``.
        title: as people call it.
        address, port, ssl: of the SMTP block; where ``ssl`` is off, STARTTLS is required.
        advice: what to prepare, one matter a line.
        authentication: the mechanism that it takes.
        username: what to write there; a fixed one where it has no space.
        aliases: other names for ``--preset``.
        is_local: it is on this host, takes mail from it without authentication, and needs no TLS.
        messages_per_minute, max_connections: what the service permits; 0 where it does not say.
    """

    name: str
    title: str
    address: str
    port: int
    ssl: bool
    username: str
    advice: tuple[str, ...] = field(repr=False)
    authentication: str = "plain"
    aliases: tuple[str, ...] = ()
    is_local: bool = False
    messages_per_minute: int = 0
    max_connections: int = 0

    @property
    def settings(self) -> dict[str, Any]:
        """The block's fields."""
        if self.is_local:
            switches = dict.fromkeys(("ssl", "enable_starttls", "enable_starttls_auto"), False)
            return {"address": self.address, "port": self.port, "username": "", **switches}
        return {
            "address": self.address,
            "port": self.port,
            "ssl": self.ssl,
            "enable_starttls": not self.ssl,
            "authentication": self.authentication,
            "ssl_verify_mode": "peer",
            **{name: value for name, value in self.limits.items() if value},
        }

    @property
    def limits(self) -> dict[str, int]:
        """The block's fields that hold over all workers."""
        return {
            "messages_per_minute": self.messages_per_minute,
            "max_connections": self.max_connections,
        }


def find_preset(name: str) -> Preset:
    """Return the preset of this name.

    Raises:
        RelayConfigurationError: there is none; the text lists them.
    """
    wanted = name.strip().lower()
    for preset in PRESETS.values():
        if wanted in {preset.name, *preset.aliases}:
            return preset
    near = nearest(name.lower(), PRESETS)
    hint = f"Did you mean {near}?" if near else f"There are: {', '.join(PRESETS)}."
    raise RelayConfigurationError(
        f"{mask(name)!r} is not a known mail service", hint, field="preset"
    )


def _read(name: str, fields: dict[str, Any]) -> Preset:
    lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
    return Preset(name, **{**fields, **lists})


_FILE = Path(__file__).with_name("presets.toml")

PRESETS: dict[str, Preset] = {
    name: _read(name, fields)
    for name, fields in tomllib.loads(_FILE.read_text(encoding="utf-8")).items()
}
"""By their names."""
