"""What a server's certificate says, whoever signed it."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from prefect_smtp_relay.transports.smtp.reply import printable

_MAX_NAMES = 6
_UNREADABLE = (
    *(ValueError, TypeError, OverflowError),
    *(x509.UnsupportedGeneralNameType, x509.DuplicateExtension, x509.InvalidVersion),
)
"""What cryptography raises for a certificate that somebody wrote by hand."""


@dataclass(frozen=True)
class Certificate:
    """The parts of a certificate that people ask for.

    Args:
        names: host names and IP addresses in it, in their order.
        issuer: who signed it.
        expires: in UTC.
        is_self_signed: the issuer is the subject.
    """

    names: tuple[str, ...]
    issuer: str
    expires: datetime
    is_self_signed: bool

    def is_for(self, address: str) -> bool:
        """Whether it is for this host, by the rules of RFC 9525, section 6.3.

        Args:
            address: a host name as A-labels, or an IP address.
        """
        wanted = _comparable(address)
        parent = wanted.partition(".")[2]
        return any(name in {wanted, f"*.{parent}"} for name in map(_comparable, self.names))

    def days_left(self, now: datetime) -> int:
        """Whole days until it expires; negative afterwards."""
        return (self.expires - now).days

    def describe(self, now: datetime) -> str:
        """One line: names, issuer, expiry."""
        shown = ", ".join(self.names[:_MAX_NAMES]) or "no host name that can be read"
        more = f" and {len(self.names) - _MAX_NAMES} more" * (len(self.names) > _MAX_NAMES)
        issuer = "self-signed" if self.is_self_signed else f"issued by {self.issuer}"
        days = self.days_left(now)
        tense = f"valid until {self.expires:%Y-%m-%d} ({days} days)"
        if days < 0:
            tense = f"expired on {self.expires:%Y-%m-%d}"
        return f"for {shown}{more}; {issuer}; {tense}"


def read_certificate(tls: ssl.SSLSocket) -> Certificate | None:
    """Read the certificate of an encrypted connection, verified or not.

    Returns:
        None where there is none, or one that cannot be read.
    """
    try:
        certificate = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"")
        return Certificate(
            names=_names(certificate),
            issuer=_common_name(certificate.issuer),
            expires=certificate.not_valid_after_utc,
            is_self_signed=certificate.issuer == certificate.subject,
        )
    except _UNREADABLE:
        return None


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """RFC 9525, section 2: the subject alternative names count, the common name does not."""
    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return ()  # names of kinds that no host has, such as x400Address, hide the others
    hosts = held.get_values_for_type(x509.DNSName)
    addresses = held.get_values_for_type(x509.IPAddress)
    return tuple(printable(str(name)) for name in (*hosts, *addresses))


def _comparable(name: str) -> str:
    """Bring the spellings of one host name or IP address together."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.lower().rstrip(".")


def _common_name(name: x509.Name) -> str:
    wanted = (x509.NameOID.ORGANIZATION_NAME, x509.NameOID.COMMON_NAME)
    parts = [part.value for oid in wanted for part in name.get_attributes_for_oid(oid)]
    texts = [part if isinstance(part, str) else part.decode("utf-8", "replace") for part in parts]
    return printable(", ".join(texts)) or "nobody named"
