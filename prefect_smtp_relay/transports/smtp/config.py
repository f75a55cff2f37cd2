"""Everything that decides how a relay is spoken to, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from prefect_smtp_relay.transports.smtp.security import Security

Mechanism = Literal["plain", "login", "cram_md5"]


@dataclass(frozen=True)
class Credentials:
    """A username and a password, masked in every representation."""

    username: SecretStr
    password: SecretStr


@dataclass(frozen=True)
class SmtpConfig:
    """How to reach one relay.

    Args:
        address: host name as A-labels, or an IP address.
        port: 1 to 65535.
        security: which encryption is wanted, see `Security`.
        verify_peer: check the certificate's chain and host name.
        ca_certificate: PEM text of CAs trusted in addition to the system's.
        helo_domain: the name to greet with; blank: this host's own.
        credentials: None for no authentication.
        mechanism: the one mechanism that is used.
        allow_cleartext_auth: permit plain and login without encryption.
        timeout_seconds: the bound of connecting and of each reply.
    """

    address: str
    port: int = 587
    security: Security = Security.DIRECT_OR_STARTTLS
    verify_peer: bool = False
    ca_certificate: str = ""
    helo_domain: str = ""
    credentials: Credentials | None = None
    mechanism: Mechanism = "plain"
    allow_cleartext_auth: bool = False
    timeout_seconds: float = 30.0

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        return self.address, self.port

    @property
    def name(self) -> str:
        """``smtp://host:port``, for logs, errors and receipts."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"smtp://{host}:{self.port}"
