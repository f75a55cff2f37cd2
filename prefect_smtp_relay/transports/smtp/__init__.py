"""Submission to an SMTP server (RFC 5321, 3207, 4954)."""

from prefect_smtp_relay.transports.smtp.config import (
    Credentials,
    Limits,
    Mechanism,
    OAuthConfig,
    Security,
    SmtpConfig,
)
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
