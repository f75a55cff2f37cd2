"""The table of the three TLS switches, and the TLS contexts it needs."""

from __future__ import annotations

import ssl
from enum import Enum
from functools import lru_cache

from prefect_smtp_relay.exceptions import RelayConfigurationError


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


@lru_cache(maxsize=32)
def tls_context(verify_peer: bool, ca_certificate: str) -> ssl.SSLContext:
    """Build the TLS context of a configuration, once: loading the CA bundle costs 30 ms.

    Args:
        verify_peer: check chain and host name.
        ca_certificate: PEM text trusted in addition to the system's CAs.

    Raises:
        RelayConfigurationError: ``ca_certificate`` is no PEM text.
    """
    if verify_peer:
        context = ssl.create_default_context()
        if ca_certificate:
            _trust(context, ca_certificate)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _trust(context: ssl.SSLContext, ca_certificate: str) -> None:
    pem = ca_certificate.encode("ascii", "replace").decode()  # only comments hold other letters
    try:
        context.load_verify_locations(cadata=pem)
    except (ValueError, ssl.SSLError) as error:
        raise RelayConfigurationError(
            f"ca_certificate: not a certificate in PEM ({error}). Paste the CA's text with its"
            " BEGIN CERTIFICATE and END CERTIFICATE lines."
        ) from error
