"""The envelope: who is told of failures, and who gets the message (RFC 5321, section 2.3.1)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from prefect_smtp_relay.exceptions import NoRecipients
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where a message goes, whatever its headers show.

    Args:
        reverse_path: gets the non-delivery reports.
        forward_paths: each recipient once, whatever its case, Bcc included; never empty.

    Raises:
        NoRecipients: there is no forward-path.
    """

    reverse_path: Mailbox
    forward_paths: tuple[Mailbox, ...]

    def __post_init__(self) -> None:
        if not self.forward_paths:
            raise NoRecipients("to: nobody to send to; name an address in to, cc or bcc.")

    @classmethod
    def of(cls, message: Message) -> Envelope:
        """Build the envelope of a message: its sender, and every recipient once."""
        unique: dict[str, Mailbox] = {}
        for mailbox in message.to + message.cc + message.bcc:
            unique.setdefault(mailbox.address.lower(), mailbox)
        return cls(message.sender or message.from_, tuple(unique.values()))

    def only_for(self, addresses: Collection[str]) -> Envelope:
        """The envelope of another try, for some of the forward-paths."""
        return Envelope(
            self.reverse_path, tuple(m for m in self.forward_paths if m.address in addresses)
        )

    @property
    def needs_smtputf8(self) -> bool:
        """Whether a path can only be written with SMTPUTF8 (RFC 6531)."""
        return any(m.needs_smtputf8 for m in (self.reverse_path, *self.forward_paths))
