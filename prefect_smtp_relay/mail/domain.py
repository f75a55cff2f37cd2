"""Domain names as the wire wants them: A-labels, lower case, no trailing dot."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

import idna

MAX_DOMAIN_LENGTH = 253

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


@lru_cache(maxsize=4096)
def to_a_labels(name: str) -> str:
    """Return a domain name as IDNA A-labels (RFC 5890), lower case, without a trailing dot.

    Args:
        name: a domain name in any script, or an address literal such as ``[192.0.2.1]``.

    Raises:
        ValueError: the text is not a domain name; the message ends without a full stop.
    """
    if name.startswith("[") and name.endswith("]"):
        return _address_literal(name[1:-1])
    try:
        ascii_name = name if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
        ascii_name = ascii_name.lower().removesuffix(".")
        _check_labels(ascii_name.split("."))
    except (idna.IDNAError, ValueError) as error:
        raise ValueError(f"{name!r} is not a domain name: {error}") from error
    if len(ascii_name) > MAX_DOMAIN_LENGTH:
        raise ValueError(f"{name!r} is not a domain name: it has over {MAX_DOMAIN_LENGTH} letters")
    return ascii_name


def _check_labels(labels: list[str]) -> None:
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise ValueError(f"the label {label!r} is not valid")
        if label.startswith("xn--"):
            idna.ulabel(label)  # an A-label that decodes to nothing, or to what reads as ASCII


def _address_literal(text: str) -> str:
    """RFC 5321, section 4.1.3: ``[192.0.2.1]`` or ``[IPv6:2001:db8::1]``."""
    is_v6 = text.lower().startswith("ipv6:")
    try:
        address = ipaddress.IPv6Address(text[5:]) if is_v6 else ipaddress.ip_address(text)
        if "%" in text:
            raise ValueError("a zone means nothing to another host")
    except ValueError as error:
        raise ValueError(f"[{text}] is not an address literal: {error}") from error
    return format_address_literal(str(address))


def format_address_literal(address: str) -> str:
    """Write an IP address as the address literal of RFC 5321, section 4.1.3, without its zone."""
    address = address.partition("%")[0]
    version = ipaddress.ip_address(address).version
    return f"[IPv6:{address}]" if version == 6 else f"[{address}]"


def is_same_or_subdomain(domain: str, parent: str) -> bool:
    """Whether one domain is another or lies below it; both as from `to_a_labels`."""
    return domain == parent or domain.endswith("." + parent)
