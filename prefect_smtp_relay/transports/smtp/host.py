"""Questions about the other end of a socket."""

from __future__ import annotations

import ipaddress
import socket


def is_loopback(sock: socket.socket) -> bool:
    """Whether the peer is this host itself, so that nobody can read along."""
    address = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
