"""The entries in the spool: their keys, and what they have in clear text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import chain

from prefect_smtp_relay.exceptions import EmailError, MessageError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.parse import read_message
from prefect_smtp_relay.spool import Spool
from prefect_smtp_relay.transports.outbox.claims import Claim, Claims
from prefect_smtp_relay.transports.outbox.copies import Copies, digest_of, says
from prefect_smtp_relay.transports.outbox.files import (
    Files,
    list_files,
    message_key,
    record_key,
)
from prefect_smtp_relay.transports.outbox.record import Record
from prefect_smtp_relay.transports.outbox.stored_mail import StoredMail

_LEFTOVER = timedelta(days=1)
"""Longer than a message is being stored or removed: what is older belongs to a dead process."""

_READERS = 8
"""Threads that read records for a listing: object storage takes its time for each."""


class Entries:
    """Stored messages; every method raises only `EmailError`.

    Args:
        spool: where they are.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._claims = Claims(spool)
        self._copies = Copies(spool)

    def place(self, entry_id: str) -> str:
        """Say where an entry's message is."""
        return f"{self._spool.name}/{message_key(entry_id)}"

    def put(self, record: Record, text: bytes) -> str:
        """Store a message, in place of itself where it is stored already.

        One that a flush has claimed is stored already, and left to that flush.

        Returns:
            The id of the entry.
        """
        entry_id = hashlib.sha256(record.message_id.encode()).hexdigest()[:32]
        if not self._spool.create(record_key(entry_id), record.data(), durable=True):
            former = self._former(entry_id)
            turn = record.turn if former is None else former.turn
            if self._claims.owner(entry_id, turn) and self._spool.read(message_key(entry_id)):
                return entry_id
            if former is not None:
                record = record.after(former.history, record.history)
            self._replace_record(entry_id, record, turn)
        self._spool.replace(message_key(entry_id), text, durable=True)
        return entry_id

    def copies(self, entry_id: str, message: Message, envelope: Envelope) -> list[str]:
        """Note that a message is stored; return other entries that say the same, as `Copies`."""
        what = says(digest_of(message), envelope.forward_paths)
        return self._copies.note(entry_id, what, lambda other: self._says(other) == what)

    def import_from(self, former: Spool) -> int:
        """Move here what earlier versions stored in a directory; return how many there were.

        They renamed a message that was being submitted: that one may have been accepted.
        """
        moved = 0
        for name in (entry.key for entry in former.list(".")):
            entry_id, _, rest = name.removeprefix("./").partition(".")
            text = former.read(name) if rest.endswith(("eml", "claimed")) else None
            data = None if text is None else former.read(f"{entry_id}.json")
            if text is None or data is None:
                continue
            record = Record.parse(data, f"{entry_id}.json")
            is_unknown = rest.endswith("claimed")
            self.put(record.because(record.reason, may_be_accepted=is_unknown), text)
            former.delete(name)
            former.delete(f"{entry_id}.json")
            moved += 1
        return moved

    def stored(self) -> list[StoredMail]:
        """List all entries, the oldest first."""
        stored = [item for item in list_files(self._spool).items() if item[1].message is not None]
        describe = partial(self._describe, is_dead=cache(self._spool.lease.is_dead))
        with ThreadPoolExecutor(_READERS) as readers:
            described = readers.map(lambda item: describe(*item), stored)
            mails = [mail for mail in described if mail is not None]
        return sorted(mails, key=lambda mail: (mail.stored_at, mail.id))

    def ids(self, *, only_due: bool = False) -> list[str]:
        """Return the id of each entry, the oldest first, without reading any.

        Args:
            only_due: without those that failed, and have not waited as long again since.
        """
        found = [
            (files.message.modified, entry_id)
            for entry_id, files in list_files(self._spool).items()
            if files.message is not None and (not only_due or files.is_due)
        ]
        return [entry_id for _, entry_id in sorted(found)]

    def record(self, entry_id: str) -> Record | None:
        """Read an entry's record.

        Returns:
            None where the entry was removed meanwhile.

        Raises:
            RelayConfigurationError: no key fits.
            MessageError: it is damaged.
        """
        key = record_key(entry_id)
        data = self._spool.read(key)
        return None if data is None else Record.parse(data, f"{entry_id}.json")

    def text(self, entry_id: str) -> bytes:
        """Read an entry's message as it is; raises as `load`."""
        data = self._spool.read(message_key(entry_id))
        if data is None:
            raise _gone(message_key(entry_id), self._spool)
        return data

    def load(self, entry_id: str) -> tuple[Record, Message, Envelope]:
        """Read an entry.

        Raises:
            RelayConfigurationError: no key fits.
            MessageError: it is gone or damaged.
        """
        record = self.record(entry_id)
        if record is None:
            raise _gone(record_key(entry_id), self._spool)
        data = self.text(entry_id)
        if len(data) < record.size:
            # A text alone has no end that the MIME structure could miss.
            raise MessageError(
                f"{entry_id}.eml has {len(data)} of {record.size} bytes", "Restore it."
            )
        message = replace(
            read_message(data, record.bcc),
            requested_from=record.requested_from,
            reverse_path=record.requested_reverse_path,
            categories=record.categories,
            idempotency_key=record.idempotency_key,
        )
        return record, message, record.envelope

    def claim(
        self, entry_id: str, record: Record, lease_id: str, is_dead: Callable[[str], bool]
    ) -> Claim | None:
        """Take an entry for this process alone; arguments as for `Claims.take`.

        Returns:
            None where another process has it, or had it after the record was read.
        """
        claim = self._claims.take(entry_id, record.turn, lease_id, is_dead)
        if claim is None:
            return None
        now = self.record(entry_id)
        if now is None or now.turn != record.turn:
            self._claims.drop(claim)
            return None
        return claim

    def hand_over(self, claim: Claim) -> None:
        """As `Claims.hand_over`."""
        self._claims.hand_over(claim)

    def release(self, claim: Claim, record: Record) -> None:
        """Give a claimed entry back, with a new record.

        A claim that another process took over meanwhile is that process's business.
        """
        if not self._claims.is_taken_over(claim):
            self._replace_record(claim.entry_id, record, claim.turn + 1)
            self._claims.drop(claim)

    def remove(self, claim: Claim) -> None:
        """Remove a claimed entry: a relay has it.

        The same message stored again meanwhile goes with it: its Message-ID says that it is
        the same. A claim that another process took over is that process's business.
        """
        if not self._claims.is_taken_over(claim):
            self._spool.delete(message_key(claim.entry_id))
            self._spool.delete(record_key(claim.entry_id))
            self._claims.drop(claim)

    def remove_unreadable(self, entry_id: str, is_dead: Callable[[str], bool]) -> bool:
        """Remove an entry whose record cannot be read, so that nobody can claim it.

        Returns:
            False where a flush, which can read it, has it.

        Raises:
            EmailError: it cannot be said whether one has.
        """
        files = list_files(self._spool).get(entry_id, Files())
        owners = [self._claims.owner(entry_id, turn) for turn in files.turns]
        if any(owner and not is_dead(owner.lease) for owner in owners):
            return False
        self._spool.delete(message_key(entry_id))
        for entry in files.others:
            self._spool.delete(entry.key)
        return True

    def sweep(self) -> None:
        """Remove what crashes left a day ago: records and claims of nothing; and old hints."""
        before = datetime.now(UTC) - _LEFTOVER
        lost = (each.others for each in list_files(self._spool).values() if each.message is None)
        for entry in chain.from_iterable(lost):
            if entry.modified < before:
                self._spool.delete(entry.key)
        self._copies.sweep()

    def _says(self, entry_id: str) -> str:
        """What an entry says; empty where it is gone, or cannot be read."""
        record = self._former(entry_id)
        return "" if record is None else record.says

    def _describe(
        self, entry_id: str, files: Files, is_dead: Callable[[str], bool]
    ) -> StoredMail | None:
        """Describe an entry, or return None where it was removed meanwhile."""
        assert files.message is not None  # noqa: S101  # for mypy: `stored` has looked
        mail = StoredMail(id=entry_id, place=self.place(entry_id), stored_at=files.message.modified)
        try:
            record = self.record(entry_id)
            if record is None:
                return None
            owner = self._claims.owner(entry_id, max([record.turn, *files.turns]))
        except EmailError as failure:
            return replace(mail, error=str(failure))
        dead = owner is not None and is_dead(owner.lease)
        return replace(
            mail,
            **record.described(),
            claimed=owner is not None and not dead,
            interrupted=owner is not None and dead and owner.handed_over,
        )

    def _former(self, entry_id: str) -> Record | None:
        """The record of what is stored, if it can be read."""
        try:
            return self.record(entry_id)
        except EmailError:
            return None

    def _replace_record(self, entry_id: str, record: Record, turn: int) -> None:
        data = record.model_copy(update={"turn": turn}).data()
        self._spool.replace(record_key(entry_id), data, durable=True)


def _gone(key: str, spool: Spool) -> MessageError:
    return MessageError(f"{key} is not in {spool.name}", "Restore it.")
