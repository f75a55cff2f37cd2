"""How much waits in the outbox, and since when: for commands and flows that tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.transports.outbox import StoredMail


@dataclass(frozen=True)
class OutboxState:
    """What waits.

    Args:
        place: where the outbox is.
        entries: what it has, the oldest first; None where it cannot be read.
        error: why it cannot be read, or empty.
    """

    place: str
    entries: tuple[StoredMail, ...] | None = None
    error: str = ""

    @property
    def text(self) -> str:
        """The same in a sentence."""
        if self.entries is None:
            return f"The outbox cannot be read: {self.error}"
        if not self.entries:
            return "The outbox is empty."
        oldest = f"{self.entries[0].stored_at:%Y-%m-%d %H:%M:%S} UTC"
        if len(self.entries) == 1:
            return f"1 mail waits in the outbox, since {oldest}."
        return f"{len(self.entries)} mails wait in the outbox, the oldest since {oldest}."

    def as_data(self) -> dict[str, Any]:
        """For ``--json``."""
        oldest = self.entries[0].stored_at.isoformat() if self.entries else None
        stored = None if self.entries is None else len(self.entries)
        return {"place": self.place, "stored": stored, "oldest": oldest, "text": self.text}


def look_into_outbox(settings: SmtpRelaySettings) -> OutboxState:
    """Read what waits.

    Args:
        settings: name the outbox.

    Raises:
        RelayConfigurationError: the settings name no place that can be used.
    """
    outbox = open_outbox(settings)
    try:
        return OutboxState(outbox.name, tuple(outbox.entries()))
    except EmailError as error:
        return OutboxState(outbox.name, error=str(error))
