"""Discarding: removes stored messages that nobody wants any more, but none from under a flush."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from prefect_smtp_relay.exceptions import EmailError, MessageError, RelayConfigurationError
from prefect_smtp_relay.spool.lease import Lease
from prefect_smtp_relay.transports.outbox.entries import Entries
from prefect_smtp_relay.transports.outbox.record import Record
from prefect_smtp_relay.transports.outbox.stored_mail import DiscardReport

Forget = Callable[[Record], None]


class Discard:
    """One discard; see `Outbox.discard`.

    Args:
        entries: what is stored.
        lease: of this process.
        forget: is told of each message right before it goes, with nobody else submitting it.
    """

    def __init__(self, entries: Entries, lease: Lease, forget: Forget) -> None:
        self._entries = entries
        self._is_dead = cache(lease.is_dead)
        self._forget = forget
        self._report = DiscardReport()

    def run(self, entry_ids: Sequence[str], lease_id: str) -> DiscardReport:
        """Discard these, in their order."""
        for entry_id in entry_ids:
            try:
                is_gone = self._discard(entry_id, lease_id)
            except EmailError as error:
                self._report.failed.append((entry_id, str(error)))
            else:
                (self._report.discarded if is_gone else self._report.claimed).append(entry_id)
        self._report.remaining = len(self._entries.ids())
        return self._report

    def _discard(self, entry_id: str, lease_id: str) -> bool:
        """Discard an entry, unless a flush has claimed it."""
        try:
            record = self._entries.record(entry_id)
        except (MessageError, RelayConfigurationError):
            return self._entries.remove_unreadable(entry_id, self._is_dead)
        if record is None:
            return True  # somebody else was faster
        claim = self._entries.claim(entry_id, record, lease_id, self._is_dead)
        if claim is None:
            return False
        try:
            self._forget(record)
        except EmailError:
            self._entries.release(claim, record)
            raise
        self._entries.remove(claim)
        return True
