"""Everything that decides how a relay is spoken to, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

Endpoint = tuple[str, int]
"""Host and port."""

Mechanism = Literal["plain", "login", "cram_md5", "scram_sha_256", "xoauth2", "oauthbearer"]


class Security(Enum):
    """What a connection must be; a relay that cannot give it is an error, never plain text."""

    DIRECT_OR_STARTTLS = "TLS, direct or by STARTTLS"
    DIRECT = "direct TLS"
    STARTTLS = "STARTTLS"
    STARTTLS_IF_OFFERED = "STARTTLS if offered"
    PLAIN_TEXT = "plain text"

    @classmethod
    def of_switches(
        cls, *, direct_tls: bool, enable_starttls: bool, enable_starttls_auto: bool
    ) -> Security:
        """Resolve the block's fields ``ssl``, ``enable_starttls`` and ``enable_starttls_auto``."""
        if direct_tls:
            either = enable_starttls or enable_starttls_auto
            return cls.DIRECT_OR_STARTTLS if either else cls.DIRECT
        if enable_starttls:
            return cls.STARTTLS
        return cls.STARTTLS_IF_OFFERED if enable_starttls_auto else cls.PLAIN_TEXT


@dataclass(frozen=True)
class Credentials:
    """A username and a password, masked in every representation.

    Args:
        username: the account.
        password: for xoauth2 and oauthbearer the access token; empty where `OAuthConfig` gets one.
    """

    username: SecretStr
    password: SecretStr


@dataclass(frozen=True)
class OAuthConfig:
    """Where access tokens come from (RFC 6749).

    Args:
        token_url: the token endpoint; https, except to this host itself.
        client_id: of the application that is registered with the provider.
        client_secret: the application's; empty for one that has none.
        refresh_token: for the refresh-token grant (section 6); empty: client credentials (4.4).
        scope: what the token is for; empty for the provider's default.
    """

    token_url: str = field(repr=False)
    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr
    scope: str = ""

    @property
    def host(self) -> str:
        """The endpoint's host, with its port where one is written: for errors."""
        return urlsplit(self.token_url).netloc.rpartition("@")[2]


@dataclass(frozen=True)
class Limits:
    """Bounds that no block has a field for; a test hands in shorter ones.

    Args:
        timeouts_per_delivery: a whole delivery may take so many ``timeout_seconds``.
        final_reply_seconds: for the reply to the message, whatever ``timeout_seconds`` is (RFC
            5321, section 4.5.3.2.6): giving up earlier would make copies.
        next_reply_seconds: for the reply to commands that came together with the end of a message:
            a server that lost them will never answer.
        pauses_seconds: before a relay that has served is asked again for a session.
        connections: open at once to one relay.
        transactions: in one session; OpenSMTPD permits 100 by default.
        session_seconds: how old a session may become, and
        kept_seconds: how long it is kept without a mail; 0: it has ended when the delivery has.
        silence_seconds: how long a server may say nothing before it is asked for TLS,
        probe_seconds: how long that may take (both together stay under five seconds), and
        first_greeting_seconds: how long the first greeting of all is waited for after that.
    """

    timeouts_per_delivery: float = 5
    final_reply_seconds: float = 600.0
    next_reply_seconds: float = 5.0
    pauses_seconds: tuple[float, ...] = (0.5, 2.0)
    connections: int = 10
    transactions: int = 90
    session_seconds: float = 300.0
    kept_seconds: float = 15.0
    silence_seconds: float = 3.0
    probe_seconds: float = 1.5
    first_greeting_seconds: float = 3.5


@dataclass(frozen=True)
class SmtpConfig:
    """How to reach one relay.

    Args:
        address: host name as A-labels, or an IP address.
        port: 1 to 65535.
        security: which encryption is wanted, see `Security`.
        verify_peer: check the certificate's chain and host name.
        ca_certificate: PEM text of CAs trusted in addition to the system's.
        helo_domain: the name to greet with; empty: this host's own.
        credentials: None for no authentication.
        mechanism: the one mechanism that is used.
        allow_cleartext_auth: permit a mechanism that shows the secret, without encryption.
        timeout_seconds: the bound of connecting, of each reply but the one to a message, and of
            getting an access token.
        oauth: where the access token comes from; None: the password is the secret.
        tls_server_name: the name that the certificate must be for; empty: the address.
        client_certificate: PEM text that is shown to a relay which wants it; empty: none.
        client_key: its private key, as PEM text.
        limits: what else is bounded.
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
    oauth: OAuthConfig | None = None
    tls_server_name: str = ""
    client_certificate: str = ""
    client_key: SecretStr = field(default=SecretStr(""), kw_only=True)
    limits: Limits = Limits()

    @property
    def endpoint(self) -> Endpoint:
        """Host and port."""
        return self.address, self.port

    @property
    def name(self) -> str:
        """``smtp://host:port``, for logs, errors and receipts."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"smtp://{host}:{self.port}"
