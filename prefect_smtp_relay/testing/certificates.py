"""Throw-away certificates for local servers."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import trustme


@dataclass(frozen=True)
class Certificates:
    """A certificate authority of our own, and one server certificate of it.

    Args:
        ca_pem: the CA's certificate as PEM text, for the block's ``ca_certificate``.
        server_context: ready for a server.
    """

    ca_pem: str
    server_context: ssl.SSLContext


def issue_certificates(*host_names: str) -> Certificates:
    """Make a CA and a certificate for the host names or IP addresses.

    Args:
        host_names: what it is for; ``localhost`` and ``127.0.0.1`` where none is given.
    """
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(host_names or ("localhost", "127.0.0.1"))).configure_cert(context)
    return Certificates(authority.cert_pem.bytes().decode(), context)
