"""What the outbox tells about itself: its entries, and what a flush did."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from prefect_smtp_relay.mail.receipt import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMail:
    """One entry of the outbox. What an unreadable entry cannot tell is empty or 0.

    Args:
        id: names the entry.
        place: where the message is: a file, or a URL.
        stored_at: when, in UTC.
        reason: why no relay has it.
        message_id, subject, from_: of the message, as text.
        recipients: how many it still has to reach, Bcc included.
        size: bytes of the message.
        claimed: a flush is submitting it right now.
        interrupted: the process of a flush died while it submitted the message, so a relay may
            have accepted it already; ``unknown_outcome`` says what the next flush does.
        may_be_accepted: the relay got it, and its answer was lost; only a flush that names the
            entry submits it.
        error: why the entry cannot be read, and what to set; empty where it can.
    """

    id: str
    place: str
    stored_at: datetime
    reason: str = ""
    message_id: str = ""
    subject: str = ""
    from_: str = ""
    recipients: int = 0
    size: int = 0
    claimed: bool = False
    interrupted: bool = False
    may_be_accepted: bool = False
    error: str = ""


@dataclass(slots=True)
class FlushReport:
    """What one flush of the outbox did.

    Args:
        accepted: the receipts of what relays accepted, at least for some recipients.
        failed: id and error text of every entry that no relay accepted as a whole.
        remaining: how many entries the outbox has now.
        unknown: ids of the entries that may have been accepted, and were not named.
        stopped: why the flush did not try every entry; empty where it did.
    """

    accepted: list[Receipt] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    remaining: int = 0
    stopped: str = ""
