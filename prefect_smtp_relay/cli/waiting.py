"""What waits in the outbox, in one sentence: for status and connect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prefect_smtp_relay.cli.ages import ago
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.transports.outbox import StoredMail


@dataclass(frozen=True)
class Waiting:
    """What waits.

    Args:
        place: the outbox.
        text: the sentence.
        mails: those that wait, the oldest first; None where the outbox cannot be read.
    """

    place: str
    text: str
    mails: Sequence[StoredMail] | None = None

    def as_data(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "place": self.place,
            "stored": None if self.mails is None else len(self.mails),
            "oldest": self.mails[0].stored_at.isoformat() if self.mails else None,
            "text": self.text,
        }


def look_into_outbox() -> Waiting:
    """Look what waits; an outbox that cannot be read is told in the sentence.

    Raises:
        EmailError: a setting is invalid.
    """
    outbox = open_outbox(current_settings())
    try:
        mails = outbox.entries()
    except EmailError as error:
        return Waiting(outbox.name, f"The outbox cannot be read: {error}")
    if not mails:
        return Waiting(outbox.name, "The outbox is empty.", mails)
    since = f"stored {ago(mails[0].stored_at)}, {mails[0].stored_at:%Y-%m-%d %H:%M:%S} UTC"
    count = "1 mail waits" if len(mails) == 1 else f"{len(mails)} mails wait"
    oldest = "" if len(mails) == 1 else "the oldest "
    return Waiting(outbox.name, f"{count} in the outbox, {oldest}{since}.", mails)
