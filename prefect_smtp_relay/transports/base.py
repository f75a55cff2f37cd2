"""The seam between a message and whatever takes it."""

from __future__ import annotations

import logging
from typing import Protocol, runtime_checkable

from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt

logger = logging.getLogger("prefect_smtp_relay")
"""The one logger of the pure parts; in a run its records reach the run's log."""


@runtime_checkable
class Transport(Protocol):
    """Takes one message at a time."""

    @property
    def name(self) -> str:
        """Loggable, without a secret: ``smtp://mx.example.org:587``."""

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Submit one message, at most once a call, without changing it.

        Args:
            message: what to deliver.
            envelope: to whom, whatever the headers of the message show.

        Returns:
            The receipt. Some recipients refused is a receipt with ``refused``.

        Raises:
            EmailError: and nothing else. All recipients refused is `RecipientsRefused`.
        """
