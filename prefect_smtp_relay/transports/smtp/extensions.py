"""What a server offers in its reply to EHLO (RFC 5321, section 4.1.1.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from prefect_smtp_relay.transports.smtp.reply import Reply

MOST_RECIPIENTS = 100
"""What every server has to take in one transaction (RFC 5321, section 4.5.3.1.8)."""

_RCPTMAX = re.compile(r"\bRCPTMAX=(\d{1,6})\b")


def read_extensions(reply: Reply) -> dict[str, str]:
    """Read the keywords, in upper case, each with its parameters."""
    words = (line.partition(" ") for line in reply.lines[1:])
    return {keyword.upper(): parameters for keyword, _, parameters in words}


def recipient_limit(extensions: Mapping[str, str]) -> int:
    """How many recipients a transaction may have (LIMITS of RFC 9422, section 4)."""
    found = _RCPTMAX.search(extensions.get("LIMITS", "").upper())
    return max(1, min(MOST_RECIPIENTS, int(found[1]))) if found else MOST_RECIPIENTS
