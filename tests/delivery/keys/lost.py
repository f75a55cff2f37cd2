"""A relay that has a mail, and does not say so."""

from __future__ import annotations

from typing import NamedTuple

from prefect_smtp_relay import Receipt
from prefect_smtp_relay.exceptions import OutcomeUnknown
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message


class Lost(NamedTuple):
    """A relay whose answer is lost."""

    name: str

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Have the message, and say nothing."""
        raise OutcomeUnknown(self.name, f"no answer to {message.message_id} for {envelope}")
