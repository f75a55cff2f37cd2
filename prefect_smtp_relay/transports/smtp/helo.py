"""The name this host greets servers with."""

from __future__ import annotations

import re
import socket

from prefect_smtp_relay.mail.domain import format_address_literal, to_a_labels

_HOST_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_MEANS_NOTHING = frozenset({"localhost", "localdomain", "local", "internal"})


def helo_name(sock: socket.socket) -> str:
    """This host's qualified name if it knows one without asking DNS, else its address.

    RFC 5321, section 4.1.4: a client that has no name sends an address literal. Servers refuse
    names with an underscore, bare addresses, and names that mean nothing to others.

    Args:
        sock: connected to the server.

    Raises:
        OSError: the connection is gone.
    """
    name = socket.gethostname().lower().strip(".")
    try:
        labels = to_a_labels(name).split(".")
    except ValueError:
        labels = []
    is_name = all(map(_HOST_LABEL.fullmatch, labels)) and len(labels) > 1
    if is_name and not labels[-1].isdigit() and labels[-1] not in _MEANS_NOTHING:
        return ".".join(labels)
    return format_address_literal(str(sock.getsockname()[0]))
