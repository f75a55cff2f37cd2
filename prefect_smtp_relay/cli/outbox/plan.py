"""What a flush would submit, for people to decide on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from prefect_smtp_relay.cli.ages import age
from prefect_smtp_relay.cli.answer import Line
from prefect_smtp_relay.cli.outbox.describing import (
    about_copies,
    as_data,
    how_many,
    ids_of,
    shortened,
)
from prefect_smtp_relay.delivery.next_mail import NextMail
from prefect_smtp_relay.transports.outbox import StoredMail
from prefect_smtp_relay.transports.outbox.stored_mail import copies

_OLD = timedelta(hours=1)


@dataclass(frozen=True)
class Plan:
    """What a flush would do.

    Args:
        chosen: the mails that it is about, the oldest first.
        is_named: whether somebody named each of them.
        next_mail: which relay would take them.
    """

    chosen: Sequence[StoredMail]
    is_named: bool
    next_mail: NextMail

    @cached_property
    def mails(self) -> list[StoredMail]:
        """Those that would be submitted."""
        return [
            mail
            for mail in self.chosen
            if not (mail.error or mail.claimed) and (self.is_named or not mail.may_be_accepted)
        ]

    @cached_property
    def copies(self) -> list[list[StoredMail]]:
        """Those of them that would be submitted more than once."""
        return copies(self.mails)

    @property
    def extra(self) -> int:
        """How many mails would go in vain, as a copy goes too."""
        return sum(len(group) - 1 for group in self.copies)

    @property
    def has_relay(self) -> bool:
        """Whether a relay would take them."""
        return "/" in self.next_mail.relay and not self.next_mail.fails

    @property
    def is_to_be_asked_about(self) -> bool:
        """Whether it is more than one mail, or one that may have been forgotten."""
        return len(self.mails) > 1 or any(age(mail.stored_at) > _OLD for mail in self.mails)

    def lines(self) -> Iterator[Line]:
        """Describe it."""
        if not self.mails:
            yield "No mail would be submitted."
        else:
            through = f", through {self.next_mail.relay}" * self.has_relay
            yield f"{how_many(self.mails)}{through}:"
            yield from shortened(self.mails)
            yield from about_copies(self.mails)
        if not self.has_relay:
            yield self.next_mail.sentence
        yield from self._left()

    @cached_property
    def _unknown(self) -> list[StoredMail]:
        return [mail for mail in self.chosen if mail.may_be_accepted and not self.is_named]

    def _left(self) -> Iterator[Line]:
        if self._unknown:
            yield (
                f"Left, as a relay may have accepted them: {ids_of(self._unknown)}. Look for their"
                " Message-IDs in the relay's log; name one to submit it again."
            )
        if claimed := [mail for mail in self.chosen if mail.claimed]:
            yield f"Left, as a flush is submitting them now: {ids_of(claimed)}."
        if unreadable := [mail for mail in self.chosen if mail.error]:
            yield f"Left, as they cannot be read: {ids_of(unreadable)}."

    def as_data(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "dry_run": True,
            "relay": self.next_mail.relay,
            "would_submit": list(map(as_data, self.mails)),
            "copies": [[mail.id for mail in group] for group in self.copies],
            "unknown": [mail.id for mail in self._unknown],
        }
