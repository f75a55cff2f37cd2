"""Who gets a summary. Addresses are kept encrypted: Prefect shows Variables to everybody."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from prefect.blocks.system import Secret

_BLOCK = "send-an-email/"
_SECRET = "secret/"  # noqa: S105  # the slug of a block's type


@dataclass(frozen=True)
class Recipients:
    """The recipients of the mails of a hook or block, and how the mails are sent.

    Args:
        mail: the arguments of `send_an_email` that its mails have in common, as plain values.
        relay: ``smtp/NAME``, ``sendgrid/NAME`` or ``outbox``; empty for the preferred relay.
        document: the saved block "Send an Email" that has them, or empty.
    """

    mail: dict[str, Any]
    relay: str = ""
    document: str = ""

    @cached_property
    def reference(self) -> str:
        """What `load` finds them by; without any address in it."""
        if self.document:
            return f"{_BLOCK}{self.document}"
        return f"{_SECRET}smtp-relay-recipients-{hashlib.sha256(self._text.encode()).hexdigest()}"

    def save(self) -> None:
        """Keep them, encrypted as all block documents are, where no block has them already."""
        if not self.document:
            Secret(value=self._text).save(self.reference.removeprefix(_SECRET), overwrite=True)

    @property
    def _text(self) -> str:
        return json.dumps({"mail": self.mail, "relay": self.relay}, sort_keys=True)


def load(reference: str) -> Recipients:
    """Load the recipients of a summary.

    Args:
        reference: from `Recipients.reference`.

    Raises:
        Exception: one of `API_ERRORS`; the document is gone, or the API cannot be asked.
    """
    if reference.startswith(_BLOCK):
        # That module counts failures with this one.
        from prefect_smtp_relay.notifications.send_an_email_block import SendAnEmail

        block: Any = SendAnEmail.load(reference.removeprefix(_BLOCK))
        found: Recipients = block.recipients()
        return found
    secret: Any = Secret.load(reference.removeprefix(_SECRET))
    return Recipients(**secret.get())
