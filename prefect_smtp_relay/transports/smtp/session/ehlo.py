"""What the two sides tell each other with EHLO (RFC 5321, section 4.1.1.1)."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping

from prefect_smtp_relay.mail.domain import format_address_literal, to_a_labels
from prefect_smtp_relay.transports.smtp.reply import Reply

MAX_RECIPIENTS = 100
"""What every server has to take in one transaction (RFC 5321, section 4.5.3.1.8)."""

_RCPTMAX = re.compile(r"\bRCPTMAX=([0-9]{1,6})\b")
_SIZE = re.compile(r"[0-9]{1,20}")
_OLD_AUTH = re.compile(r"^AUTH\s*=", re.IGNORECASE)
_HOST_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_MEANS_NOTHING = frozenset({"localhost", "localdomain", "local", "internal"})


def read_extensions(reply: Reply) -> dict[str, str]:
    """Read the keywords, in upper case, each with its parameters.

    Servers of an older draft write ``AUTH=PLAIN``, beside the line of RFC 4954 or in its place.
    """
    found: dict[str, str] = {}
    for line in reply.lines[1:]:
        keyword, *parameters = _OLD_AUTH.sub("AUTH ", line).split() or [""]
        if keyword.upper() == "AUTH":
            parameters = list(dict.fromkeys([*found.get("AUTH", "").split(), *parameters]))
        found[keyword.upper()] = " ".join(parameters)
    return found


def recipient_limit(extensions: Mapping[str, str]) -> int:
    """How many recipients a transaction may have (LIMITS of RFC 9422, section 4)."""
    found = _RCPTMAX.search(extensions.get("LIMITS", "").upper())
    return max(1, min(MAX_RECIPIENTS, int(found[1]))) if found else MAX_RECIPIENTS


def size_limit(extensions: Mapping[str, str]) -> int:
    """How many bytes a message may have (SIZE of RFC 1870, section 4); 0: no limit is told.

    Only the 20 digits of the RFC are read as a number: a server may write anything else.
    """
    found = _SIZE.fullmatch(extensions.get("SIZE", ""))
    return int(found[0]) if found else 0


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
