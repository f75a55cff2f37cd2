"""Mails in an outbox, as old as a test wants them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.spool import open_spool
from prefect_smtp_relay.transports.outbox import Outbox


@dataclass(frozen=True)
class StoredMails:
    """An outbox that a test fills.

    Args:
        spool: where.
    """

    spool: Path

    @property
    def outbox(self) -> Outbox:
        """The outbox, without keys."""
        return Outbox(open_spool(str(self.spool)))

    @property
    def subjects(self) -> list[str]:
        """Of what waits, the oldest first."""
        return [mail.subject for mail in self.outbox.entries()]

    def keep(
        self, subject: str, *, hours: float = 0, reason: str = "the relay says no", **values: Any
    ) -> str:
        """Store a mail some hours ago; each call is a mail of its own, whatever it says.

        Returns:
            The id of its entry.
        """
        unknown = values.pop("may_be_accepted", False)
        draft = compose(
            **{"to": "ann@example.org", "subject": subject, "text": "Text", **values}, html=""
        )
        message = draft.from_mailbox(Mailbox("ops", "example.org"))
        envelope = Envelope.of(message)
        entry = self.outbox.keep(message, envelope, reason, may_be_accepted=unknown)
        self._age(entry, timedelta(hours=hours))
        return entry

    def _age(self, entry: str, age: timedelta) -> None:
        path = self.spool / "outbox" / f"{entry}.json"
        record = json.loads(path.read_text("utf-8"))
        record["stored_at"] = (datetime.now(UTC) - age).isoformat()
        path.write_text(json.dumps(record), "utf-8")
