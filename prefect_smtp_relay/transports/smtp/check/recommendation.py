"""From what a check found to the block's fields that should differ, in words and as Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from prefect_smtp_relay.transports.check_report import Recommendation
from prefect_smtp_relay.transports.smtp.config import Security, SmtpConfig

DIRECT_TLS = {"ssl": True, "enable_starttls": False}
"""The fields for TLS from the first byte."""

STARTTLS = {"ssl": False, "enable_starttls": True}
"""The fields for STARTTLS, required."""

_ALWAYS_SHOWN = frozenset({"address", "port", "ssl"})
_OAUTH_FIELDS = {
    "oauth_token_url": "token_url",
    "oauth_client_id": "client_id",
    "oauth_client_secret": "client_secret",
    "oauth_refresh_token": "refresh_token",
    "oauth_scope": "scope",
}
"""The block's names, and those of `OAuthConfig`."""


@dataclass(frozen=True)
class Remedy:
    """One thing to change.

    Args:
        words: what was mistaken, and what to do.
        settings: block fields with their new values; none where no field can fix it.
        is_optional: whether mail goes out without it, too.
    """

    words: str
    settings: dict[str, Any] = field(default_factory=dict)
    is_optional: bool = False


def recommend(
    config: SmtpConfig, remedies: Iterable[Remedy], written: Mapping[str, str]
) -> Recommendation:
    """Put remedies together.

    Args:
        config: how the relay is spoken to now.
        remedies: what was found; a later one wins where two name the same field.
        written: fields that the block has otherwise than the configuration says: a secret that is
            in a file is empty there.

    Returns:
        Nothing where the settings are good as they are.
    """
    current, wanted, words = {**block_fields(config), **written}, {}, []
    for remedy in remedies:
        wanted.update(remedy.settings)
        if remedy.words not in words:  # another address of the host may say the same
            words.append(remedy.words)
    settings = {name: value for name, value in wanted.items() if current[name] != value}
    python = as_python({**current, **settings}) if settings else ""
    return Recommendation(settings=settings, words=tuple(words), python=python)


def block_fields(config: SmtpConfig) -> dict[str, Any]:
    """Say a configuration in the block's fields; secrets, OAuth and the long PEM as ``...``."""
    credentials = config.credentials
    return {
        "address": config.address,
        "port": config.port,
        "domain": config.helo_domain,
        "username": _shown(credentials.username if credentials else ""),
        "password": _shown(credentials.password if credentials else ""),
        "authentication": config.mechanism,
        **_switches(config.security),
        "ssl_verify_mode": "peer" if config.verify_peer else "none",
        "ca_certificate": _shown(config.ca_certificate),
        "tls_server_name": config.tls_server_name,
        "client_certificate": _shown(config.client_certificate),
        "client_key": _shown(config.client_key),
        "allow_cleartext_auth": config.allow_cleartext_auth,
        **{name: _shown(getattr(config.oauth, own, "")) for name, own in _OAUTH_FIELDS.items()},
    }


def as_python(fields: dict[str, Any]) -> str:
    """Write a block as Python, in one line: address, port, ssl, and what is not a default."""
    default = block_fields(SmtpConfig(""))
    shown = {n: v for n, v in fields.items() if n in _ALWAYS_SHOWN or v != default.get(n, "")}
    if fields["enable_starttls"]:
        shown.pop("enable_starttls_auto", None)  # it counts only where STARTTLS is not required
    return f"SMTP({', '.join(f'{name}={_literal(value)}' for name, value in shown.items())})"


def _shown(value: SecretStr | str) -> str:
    return "..." if value else ""


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _switches(security: Security) -> dict[str, bool]:
    direct = security in {Security.DIRECT, Security.DIRECT_OR_STARTTLS}
    return {
        "ssl": direct,
        "enable_starttls": security is Security.STARTTLS,
        "enable_starttls_auto": security not in {Security.DIRECT, Security.PLAIN_TEXT},
    }
