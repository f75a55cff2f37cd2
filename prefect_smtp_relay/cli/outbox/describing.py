"""Stored mails in words, and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from prefect_smtp_relay.cli.ages import ago
from prefect_smtp_relay.cli.answer import Line, beside
from prefect_smtp_relay.transports.outbox import StoredMail
from prefect_smtp_relay.transports.outbox.stored_mail import copies, short_id

_MAX_NAMED = 3
_MAX_IDS = 8
_MAX_SHOWN = 10
NO_SUBJECT = "(no subject)"


def lines_of(mail: StoredMail) -> Iterator[Line]:
    """What a listing says of a mail: its id, age and subject; who gets it; why it waits."""
    yield headline(mail)
    if mail.recipients:
        yield beside("    to   ", recipients_of(mail))
    yield beside("    why  ", why(mail))


def headline(mail: StoredMail, indent: str = "") -> str:
    """The id, age and subject of a mail."""
    label = f"{indent}{short_id(mail.id)}  {ago(mail.stored_at):<14}  "
    return beside(label, "?" if mail.error else mail.subject or NO_SUBJECT)


def recipients_of(mail: StoredMail) -> str:
    """Who still has to get a mail: the first by their address, of Bcc only their number."""
    named, blind = list(mail.to[:_MAX_NAMED]), mail.recipients - len(mail.to)
    if more := len(mail.to) - len(named):
        named.append(f"{more} more")
    return ", ".join(named + [f"{blind} in Bcc"] * bool(blind))


def why(mail: StoredMail) -> str:
    """Why a mail waits, and whether a relay may have accepted it."""
    if mail.error:
        return f"cannot be read: {mail.error}"
    if mail.claimed:
        return "is being submitted by a flush"
    note = "a flush was interrupted, so a relay may have accepted it; " * mail.interrupted
    note = note or "a relay may have accepted it; " * mail.may_be_accepted
    return f"{note}{mail.reason}"


def shortened(mails: Sequence[StoredMail]) -> Iterator[Line]:
    """What a question shows of mails: the first ones, and how many more there are."""
    for mail in mails[:_MAX_SHOWN]:
        yield headline(mail, "  ")
        if mail.recipients:
            yield beside("      to  ", recipients_of(mail))
    if (more := len(mails) - _MAX_SHOWN) > 0:
        yield f"  and {more} more; `prefect-smtp-relay outbox list` shows all."


def about_copies(mails: Sequence[StoredMail]) -> Iterator[Line]:
    """Point out mails that wait more than once."""
    for group in copies(mails):
        subject = group[0].subject or NO_SUBJECT
        yield beside(f"The same mail waits {len(group)} times:  ", subject)
        yield beside("    ", ids_of(group))


def ids_of(mails: Sequence[StoredMail]) -> str:
    """Name mails by their ids; of many, some."""
    named = [short_id(mail.id) for mail in mails[:_MAX_IDS]]
    more = len(mails) - len(named)
    return ", ".join(named + [f"{more} more"] * bool(more))


def how_many(mails: Sequence[StoredMail]) -> str:
    """Count mails, and say how long the oldest has waited."""
    oldest = ago(min(mail.stored_at for mail in mails))
    if len(mails) == 1:
        return f"1 mail, stored {oldest}"
    return f"{len(mails)} mails, the oldest stored {oldest}"


def as_data(mail: StoredMail) -> dict[str, Any]:
    """For ``--json``."""
    return {
        "id": mail.id,
        "place": mail.place,
        "stored_at": mail.stored_at.isoformat(),
        "subject": mail.subject,
        "from": mail.from_,
        "message_id": mail.message_id,
        "recipients": mail.recipients,
        "to": list(mail.to),
        "bcc": mail.recipients - len(mail.to),
        "size": mail.size,
        "reason": mail.reason,
        "state": _state(mail),
        "readable": not mail.error,
    }


def _state(mail: StoredMail) -> str:
    text = why(mail)
    return text if mail.error or mail.claimed else f"{mail.recipients} recipient(s); {text}"
