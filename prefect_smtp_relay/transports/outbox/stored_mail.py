"""What the outbox tells about itself: its entries, and what a flush or a discard did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from prefect_smtp_relay.mail.receipt import Receipt

_SHORT = 8


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
        to: the addresses of those of them that a header names.
        size: bytes of the message.
        says: the same for copies: mails that say the same to the same recipients; empty where an
            earlier version stored it.
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
    to: tuple[str, ...] = ()
    size: int = 0
    says: str = ""
    claimed: bool = False
    interrupted: bool = False
    may_be_accepted: bool = False
    error: str = ""


def short_id(entry_id: str) -> str:
    """Name an entry as people do: every command takes the beginning of an id."""
    return entry_id[:_SHORT]


def copies(mails: Iterable[StoredMail]) -> list[list[StoredMail]]:
    """Find mails that wait more than once, each time with a Message-ID and a date of its own.

    Args:
        mails: of a listing.

    Returns:
        For each such mail its copies, in the order of the listing.
    """
    found: dict[str, list[StoredMail]] = {}
    for mail in mails:
        if mail.says:
            found.setdefault(mail.says, []).append(mail)
    return [each for each in found.values() if len(each) > 1]


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


@dataclass(slots=True)
class DiscardReport:
    """What became of the entries that somebody wanted to discard.

    Args:
        discarded: ids of those that are gone.
        claimed: ids of those that a flush was submitting: they were left to it.
        failed: id and error text of those that could not be discarded.
        remaining: how many entries the outbox has now.
    """

    discarded: list[str] = field(default_factory=list)
    claimed: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    remaining: int = 0
