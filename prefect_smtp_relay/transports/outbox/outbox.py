"""The transport that takes every message, and keeps it until a relay does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.render import render_mime
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.spool import Spool
from prefect_smtp_relay.transports.outbox.discard import Discard, Forget
from prefect_smtp_relay.transports.outbox.entries import Entries
from prefect_smtp_relay.transports.outbox.flush import Flush, Submit
from prefect_smtp_relay.transports.outbox.record import Happening, Record
from prefect_smtp_relay.transports.outbox.stored_mail import (
    DiscardReport,
    FlushReport,
    StoredMail,
    short_id,
)

_NO_RELAY = "no relay was connected"


class Outbox:
    """Stores messages in the spool; a `Transport` whose receipts say ``stored``.

    Args:
        spool: where.
        keeps_unknown: whether a message that an interrupted flush had handed over to a relay waits
            until a flush names it, instead of being submitted again with the same Message-ID.
    """

    def __init__(self, spool: Spool, *, keeps_unknown: bool = False) -> None:
        self._spool = spool
        self._keeps_unknown = keeps_unknown
        self._entries = Entries(spool)

    @property
    def name(self) -> str:
        """``outbox:`` and the spool."""
        return f"outbox:{self._spool.name}"

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Store one message because no relay is connected.

        Args:
            message: what to store.
            envelope: to whom it has to go.

        Returns:
            A receipt with the outcome ``stored``, which nobody has accepted.

        Raises:
            AttachmentError: a file vanished; nothing is stored.
            TransientFailure: the disk is full or failing, or the store does not answer.
            RelayConfigurationError: ``spool`` names a place that cannot be written to.
        """
        text = bytes(render_mime(message))
        entry_id = self._entries.put(Record.of(message, envelope, _NO_RELAY, len(text)), text)
        copies = self.copies(entry_id, message, envelope)
        return Receipt.for_message(
            message,
            transport=self.name,
            outcome="stored",
            accepted=(),
            response=f"stored as {self.place(entry_id)}{_also(copies)}",
            provider_id=entry_id,
            size=len(text),
        )

    def keep(
        self, message: Message, envelope: Envelope, reason: str, *, may_be_accepted: bool = False
    ) -> str:
        """Store one message, in place of itself where its Message-ID is stored already.

        Args:
            message: what to store.
            envelope: to whom it has to go.
            reason: why no relay has it, for example the text of the final failure.
            may_be_accepted: a relay got it, and its answer was lost: it is only submitted again
                where a flush names it.

        Returns:
            The id of the entry.

        Raises:
            EmailError: as `deliver`.
        """
        text = bytes(render_mime(message))
        record = Record.of(message, envelope, reason, len(text), may_be_accepted=may_be_accepted)
        return self._entries.put(record, text)

    def copies(self, entry_id: str, message: Message, envelope: Envelope) -> list[str]:
        """Note that a message is stored, and find others that say the same to the same people.

        Args:
            entry_id: of its entry.
            message: which is stored.
            envelope: to whom it has to go.

        Returns:
            The ids of a few entries, the newest last; none where the spool does not tell.
        """
        with suppress(EmailError):  # the mail is stored: a hint must not make that fail
            return self._entries.copies(entry_id, message, envelope)
        return []

    def place(self, entry_id: str) -> str:
        """Say where an entry's message is: a file, or a URL."""
        return self._entries.place(entry_id)

    def import_from(self, former: Spool) -> int:
        """Move here what earlier versions stored in a directory.

        Args:
            former: that directory, with the keys of its mail.

        Returns:
            How many there were.

        Raises:
            EmailError: one of them cannot be read, or stored here; those before it were moved.
        """
        return self._entries.import_from(former)

    def entries(self) -> list[StoredMail]:
        """List what is stored, the oldest first; unreadable entries too, with their error.

        Raises:
            RelayConfigurationError: ``spool`` names a place that cannot be read.
            TransientFailure: the disk fails, or the store does not answer.
        """
        return self._entries.stored()

    def count(self) -> int:
        """Count what is stored, without reading it; raises as `entries`."""
        return len(self._entries.ids())

    def ids(self) -> list[str]:
        """Return the id of each entry, the oldest first, unread; raises as `entries`."""
        return self._entries.ids()

    def text(self, mail: StoredMail) -> bytes:
        """Read the message of an entry as it is stored, without its Bcc recipients.

        Raises:
            EmailError: as `read`.
        """
        return self._entries.text(mail.id)

    def history(self, mail: StoredMail) -> tuple[Happening, ...]:
        """Tell what has happened to an entry: the first, and the last few things.

        Raises:
            EmailError: as `read`.
        """
        record = self._entries.record(mail.id)
        return record.history if record else ()

    def read(self, mail: StoredMail) -> tuple[Message, Envelope]:
        """Read an entry: the message with its Bcc recipients, and where it still has to go.

        Raises:
            RelayConfigurationError: it is encrypted with a key that ``spool_key`` lacks.
            MessageError: it is gone or damaged.
        """
        _, message, envelope = self._entries.load(mail.id)
        return message, envelope

    def flush(
        self,
        submit: Submit,
        ids: Collection[str] = (),
        *,
        only_due: bool = False,
        among: Collection[str] | None = None,
    ) -> FlushReport:
        """Hand every stored message to a relay, the oldest first; many hosts may do it at once.

        An entry is claimed, so that no other flush submits it. What a relay accepts is removed;
        recipients that it refused stay, alone. What fails stays, with the error as its reason. The
        claim of a process that died is taken over when its lease has ended; if it had begun to
        submit the message, that one may arrive twice, with the same Message-ID.

        Args:
            submit: hands one message to a relay, and returns its receipt. It replaces
                `FROM_PENDING`. A receipt that says ``stored`` ends the flush.
            ids: the entries to submit; empty for all but those that may have been accepted.
            only_due: leave what has failed not long ago, measured by how long it had waited then:
                a mail that no relay takes is tried at growing intervals.
            among: nothing but these entries, which nobody named; None for all.

        Raises:
            EmailError: the spool itself failed; what ``submit`` raises is in the report.
            BaseException: what else ``submit`` raises; its message stays in the outbox.
        """
        self._entries.sweep()
        entry_ids = self._entries.ids(only_due=only_due)
        chosen = {*(ids or entry_ids)} & {*(entry_ids if among is None else among)}
        wanted = [entry_id for entry_id in entry_ids if entry_id in chosen]
        if not wanted:
            return FlushReport(remaining=self.count())
        lease, keeps_unknown = self._spool.lease, self._keeps_unknown
        with lease.kept() as lease_id:
            flush = Flush(
                self._entries, lease, submit, is_named=bool(ids), keeps_unknown=keeps_unknown
            )
            return flush.run(wanted, lease_id)

    def discard(self, ids: Sequence[str], forget: Forget = lambda _: None) -> DiscardReport:
        """Remove entries: nobody submits them any more. What a flush has claimed is left to it.

        An entry that cannot be read is removed, too: whoever names it has seen that.

        Args:
            ids: the entries.
            forget: is told of each message right before it goes, with nobody else submitting it;
                where it raises an `EmailError`, the entry stays.

        Raises:
            EmailError: the spool itself failed.
        """
        if not ids:
            return DiscardReport(remaining=self.count())
        lease = self._spool.lease
        with lease.kept() as lease_id:
            return Discard(self._entries, lease, forget).run(ids, lease_id)


def _also(copies: Sequence[str]) -> str:
    return f" (the same mail waits already as {', '.join(map(short_id, copies))})" if copies else ""
