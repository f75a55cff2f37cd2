"""Who gets a summary. Addresses are kept encrypted: Prefect shows Variables to everybody."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from prefect.blocks.system import Secret

from prefect_smtp_relay.blocks.relays import RelayBlock
from prefect_smtp_relay.delivery.routing import OUTBOX, RelayInput
from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.mail.mailbox import AddressInput, Mailbox
from prefect_smtp_relay.notifications.grouping.kind import PREFIX

_BLOCK = "send-an-email"
_SECRET = "secret"  # noqa: S105  # the slug of a block's type


@dataclass(frozen=True)
class Recipients:
    """The recipients of the mails of a hook or block, and how the mails are sent.

    Args:
        mail: the arguments of `send_an_email` that its mails have in common, as plain values.
        relay: ``smtp/NAME``, ``sendgrid/NAME`` or ``outbox``; empty for the preferred relay.
        document: the saved block "Notification by Email" that has them, or empty.
    """

    mail: dict[str, Any]
    relay: str = ""
    document: str = ""

    @classmethod
    def of(
        cls, to: AddressInput, options: Mapping[str, Any], relay: RelayInput
    ) -> Recipients | None:
        """Take them from the arguments of a hook.

        Returns:
            None where a later mail cannot name the relay: a block that is not saved, a transport.
        """
        name = relay.relay_name if isinstance(relay, RelayBlock) else relay or ""
        if not isinstance(name, str) or (name not in {"", OUTBOX} and "/" not in name):
            return None
        lists = {"to": to, **{n: options.get(n) for n in ("cc", "bcc", "reply_to")}}
        texts = {n: [str(m) for m in Mailbox.parse_list(v, n)] for n, v in lists.items() if v}
        others = {n: str(v) for n in ("from_", "importance") if (v := options.get(n))}
        return cls({**texts, **others}, name)

    @cached_property
    def reference(self) -> str:
        """What `load` finds them by; without any address in it."""
        if self.document:
            return f"{_BLOCK}/{self.document}"
        digest = hashlib.sha256(self._text.encode()).hexdigest()
        return f"{_SECRET}/smtp-relay-recipients-{digest[:16]}"

    def save(self) -> None:
        """Keep them, encrypted as all block documents are, where no block has them already."""
        if not self.document:
            Secret(value=self._text).save(self.reference.partition("/")[2], overwrite=True)

    @property
    def _text(self) -> str:
        return json.dumps({"mail": self.mail, "relay": self.relay}, sort_keys=True)


def load(reference: str) -> Recipients:
    """Load the recipients of a summary.

    Args:
        reference: from `Recipients.reference`.

    Raises:
        RelayConfigurationError: somebody has deleted the block.
        Exception: one of `API_ERRORS`; the API cannot be asked.
    """
    try:
        return _load(reference)
    except ValueError as error:
        raise RelayConfigurationError(
            f"the block {reference} cannot be loaded, so nobody knows who gets a summary",
            f"Save it again, or delete the Variables that begin with {PREFIX}.",
        ) from error


def block_named_by(reference: str) -> str:
    """The document of the block "Notification by Email" that is referred to, or empty."""
    slug, _, name = reference.partition("/")
    return name if slug == _BLOCK else ""


def _load(reference: str) -> Recipients:
    if name := block_named_by(reference):
        # That module counts failures with this one.
        from prefect_smtp_relay.notifications.send_an_email_block import SendAnEmail

        block: Any = SendAnEmail.load(name)
        found: Recipients = block.recipients
        return found
    secret: Any = Secret.load(reference.partition("/")[2])
    return Recipients(**secret.get())
