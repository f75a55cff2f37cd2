"""A transport that keeps what it takes, for tests that need no server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.render import render_mime
from prefect_smtp_relay.mail.receipt import Receipt, Refusal, recipients_refused


@dataclass(frozen=True)
class Delivery:
    """One message that the transport took, and to whom."""

    message: Message
    envelope: Envelope
    accepted: tuple[str, ...]


@dataclass
class InMemoryTransport:
    """Accepts every message, and keeps it.

    Args:
        refused: addresses that it refuses, with the answer for each.
        failure: an error that every delivery raises, until it is None again.
    """

    refused: Mapping[str, Refusal] = field(default_factory=dict)
    failure: EmailError | None = None
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def name(self) -> str:
        """``memory:``, for logs and receipts."""
        return "memory:"

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Keep a message as if a relay had taken it.

        Raises:
            RecipientsRefused: every recipient is among the refused ones.
            EmailError: the configured failure.
        """
        if self.failure is not None:
            raise self.failure
        size = sum(len(block) for block in render_mime(message))
        addresses = [mailbox.address for mailbox in envelope.forward_paths]
        refused = {a: self.refused[a] for a in addresses if a in self.refused}
        accepted = tuple(a for a in addresses if a not in refused)
        if not accepted:
            raise recipients_refused(self.name, message, refused)
        self.deliveries.append(Delivery(message, envelope, accepted))
        return Receipt.for_message(
            message,
            transport=self.name,
            outcome="accepted",
            accepted=accepted,
            refused=refused,
            response="250 kept in memory",
            size=size,
        )
