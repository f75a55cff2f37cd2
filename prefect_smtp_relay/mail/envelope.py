"""The envelope: who is told of failures, and who gets the message (RFC 5321, section 2.3.1)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from prefect_smtp_relay.exceptions import NoRecipients
from prefect_smtp_relay.mail.mailbox import Mailbox, each_once
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
            raise NoRecipients("nobody to send to", "Name an address in to, cc or bcc.", field="to")

    @classmethod
    def of(cls, message: Message, reverse_path: Mailbox | None = None) -> Envelope:
        """Build the envelope of a message: its sender, and every recipient once.

        Args:
            message: names its recipients, and perhaps its reverse-path.
            reverse_path: the relay's, for a message that names none; else its Sender, else From.
        """
        path = message.reverse_path or reverse_path or message.sender or message.from_
        return cls(path, each_once(message.to + message.cc + message.bcc))

    def only_for(self, addresses: Collection[str]) -> Envelope:
        """The envelope of another try, for some of the forward-paths."""
        return Envelope(
            self.reverse_path, tuple(m for m in self.forward_paths if m.address in addresses)
        )

    @property
    def needs_smtputf8(self) -> bool:
        """Whether a path can only be written with SMTPUTF8 (RFC 6531)."""
        return any(m.needs_smtputf8 for m in (self.reverse_path, *self.forward_paths))
