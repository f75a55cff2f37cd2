"""The settings, with the page that says more of each."""

from __future__ import annotations

from pydantic import Secret

from prefect_smtp_relay.settings import SmtpRelaySettings
from reference.tables import code, table

_MORE = {
    "default_from": "../explanation/from-addresses.md",
    "protected_domains": "../explanation/from-addresses.md#protected-domains",
    "redirect_to": "../how-to/staging.md",
    "allowed_recipients": "../how-to/staging.md",
    "group_within": "../how-to/floods.md",
    "default_delivery": "../explanation/order-of-choice.md#default-delivery",
    "logo_url": "../explanation/mails.md",
    "header_name": "../explanation/mails.md",
    "failover": "../how-to/failover.md",
    "spool": "../how-to/outbox.md",
    "spool_options": "../how-to/outbox.md",
    "spool_key": "../how-to/outbox.md",
    "spool_accepts": "../how-to/outbox.md",
    "keep_keys_days": "../explanation/duplicates.md",
    "unknown_outcome": "../explanation/duplicates.md",
    "secret_files": "../how-to/secrets.md",
    "capture_to": "../how-to/preview.md",
}
_BELOW_HOME = "spool"
"""Its default is a directory of the host."""


def table_of_settings() -> str:
    """One row a setting, in the order of the code."""
    rows = (
        [
            f"[{code(name)}]({_MORE[name]})" if name in _MORE else code(name),
            _default(name),
            field.description or "",
        ]
        for name, field in SmtpRelaySettings.model_fields.items()
    )
    return table(["setting", "default", "what it does"], rows)


def _default(name: str) -> str:
    if name == _BELOW_HOME:
        return "`smtp-relay/spool` below `PREFECT_HOME`"
    default = SmtpRelaySettings.model_fields[name].get_default(
        call_default_factory=True, validated_data={}
    )
    value = default.get_secret_value() if isinstance(default, Secret) else default
    if isinstance(value, list):
        return "<br>".join(map(code, value)) or "empty"
    if isinstance(value, bool):
        return "on" if value else "off"
    return code(value) if value or value == 0 else "empty"
