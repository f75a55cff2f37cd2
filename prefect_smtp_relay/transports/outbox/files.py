"""The files of the entries in the spool: their names, and what one listing tells of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from prefect_smtp_relay.spool import Entry, Spool
from prefect_smtp_relay.transports.outbox.claims import CLAIM


@dataclass
class Files:
    """What the spool has of one entry."""

    message: Entry | None = None
    record: Entry | None = None
    turns: list[int] = field(default_factory=list)
    others: list[Entry] = field(default_factory=list)

    @property
    def is_due(self) -> bool:
        """Whether it has waited as long again as when it failed: then its record was written."""
        if self.message is None or self.record is None:
            return True
        waited = self.record.modified - self.message.modified
        return datetime.now(UTC) - self.record.modified >= waited


def list_files(spool: Spool) -> dict[str, Files]:
    """What there is of each entry, from one listing."""
    found: dict[str, Files] = {}
    for entry in spool.list("outbox"):
        entry_id, _, rest = entry.key.rpartition("/")[2].partition(".")
        files = found.setdefault(entry_id, Files())
        if rest == "eml":
            files.message = entry
            continue
        files.others.append(entry)
        if rest == "json":
            files.record = entry
        turn = f".{rest}".removesuffix(CLAIM).removeprefix(".")
        if turn.isdecimal():
            files.turns.append(int(turn))
    return found


def message_key(entry_id: str) -> str:
    """Where the message of an entry is."""
    return f"outbox/{entry_id}.eml"


def record_key(entry_id: str) -> str:
    """Where the record of an entry is."""
    return f"outbox/{entry_id}.json"
