"""What a caller wrote as the body of a mail, as a digest: what is added to each mail is no part."""

from __future__ import annotations

import hashlib
import json

from prefect_smtp_relay.compose.options import MailArguments
from prefect_smtp_relay.rendering.values import Values

_SHOWN = ("html", "text", "preheader", "tone", "labels")


def digest_of_body(mail: MailArguments, values: Values | None) -> str:
    """Tell a body from others; the footer does not count, as it names the flow run.

    Args:
        mail: its arguments, with values filled in.
        values: what the placeholders in the body represent; None where there are none.
    """
    body = str(mail.get("body"))
    shown = [values.fill(body) if values else body, *(str(mail.get(name)) for name in _SHOWN)]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()
