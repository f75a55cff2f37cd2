"""The table of the three TLS switches."""

from __future__ import annotations

from enum import Enum


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
