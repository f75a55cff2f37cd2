"""Submission to an SMTP server (RFC 5321, 3207, 4954)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect_smtp_relay.transports.smtp.config import (
    Credentials,
    Limits,
    Mechanism,
    OAuthConfig,
    Security,
    SmtpConfig,
)

if TYPE_CHECKING:
    from prefect_smtp_relay.transports.smtp.transport import SmtpTransport

__all__ = [
    "Credentials",
    "Limits",
    "Mechanism",
    "OAuthConfig",
    "Security",
    "SmtpConfig",
    "SmtpTransport",
]


def __getattr__(name: str) -> Any:
    """Load the transport with the first mail: a block needs only its configuration."""
    if name != "SmtpTransport":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from prefect_smtp_relay.transports.smtp.transport import SmtpTransport

    return SmtpTransport
