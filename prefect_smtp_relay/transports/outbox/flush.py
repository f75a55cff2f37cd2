"""Flushing: hands stored messages to a relay, each at most once a flush."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from prefect_smtp_relay.exceptions import EmailError, OutcomeUnknown
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.spool.lease import Lease
from prefect_smtp_relay.transports.outbox.claims import Claim
from prefect_smtp_relay.transports.outbox.entries import Entries
from prefect_smtp_relay.transports.outbox.record import Record
from prefect_smtp_relay.transports.outbox.stored_mail import FlushReport

Submit = Callable[[Message, Envelope], Receipt]

_INTERRUPTED = "a flush was interrupted while it submitted the message"


class Flush:
    """One flush; see `Outbox.flush`.

    Args:
        entries: what is stored.
        lease: of this process.
        submit: hands a message to a relay.
        is_named: whether somebody named the entries.
        keeps_unknown: whether a message that an interrupted flush had handed over waits until it
            is named.
    """

    def __init__(
        self,
        entries: Entries,
        lease: Lease,
        submit: Submit,
        *,
        is_named: bool,
        keeps_unknown: bool,
    ) -> None:
        self._entries = entries
        # Asked once for each lease: who is alive now has its claims for this flush.
        self._is_dead = cache(lease.is_dead)
        self._submit = submit
        self._is_named = is_named
        self._keeps_unknown = keeps_unknown
        self._report = FlushReport()

    def run(self, entry_ids: Sequence[str], lease_id: str) -> FlushReport:
        """Submit these, in their order."""
        for entry_id in entry_ids:
            try:
                record = self._entries.record(entry_id)
                claim = record and self._claim(entry_id, record, lease_id)
            except EmailError as error:
                self._report.failed.append((entry_id, str(error)))
                continue
            if record and claim:
                self._flush_one(claim, record)
            if self._report.stopped:
                break
        self._report.remaining = len(self._entries.ids())
        return self._report

    def _claim(self, entry_id: str, record: Record, lease_id: str) -> Claim | None:
        """Claim an entry, unless it may have been accepted and nobody named it."""
        if record.may_be_accepted and not self._is_named:
            self._report.unknown.append(entry_id)
            return None
        claim = self._entries.claim(entry_id, record, lease_id, self._is_dead)
        if claim and claim.was_handed_over and self._keeps_unknown and not self._is_named:
            self._entries.release(claim, self._interrupted(record))
            self._report.unknown.append(entry_id)
            return None
        return claim

    def _interrupted(self, record: Record) -> Record:
        return record.because(_INTERRUPTED, may_be_accepted=True) if self._keeps_unknown else record

    def _flush_one(self, claim: Claim, record: Record) -> None:
        try:
            _, message, envelope = self._entries.load(claim.entry_id)
        except EmailError as error:
            self._entries.release(claim, record)
            self._report.failed.append((claim.entry_id, str(error)))
            return
        self._entries.hand_over(claim)
        try:
            receipt = self._submit(message, envelope)
        except EmailError as error:
            is_unknown = isinstance(error, OutcomeUnknown)
            self._entries.release(claim, record.because(str(error), may_be_accepted=is_unknown))
            self._report.failed.append((claim.entry_id, str(error)))
            return
        except BaseException:
            self._entries.release(claim, self._interrupted(record))
            raise
        self._note(claim, record, envelope, receipt)

    def _note(self, claim: Claim, record: Record, envelope: Envelope, receipt: Receipt) -> None:
        """Keep the entry for those who were refused: nobody else must get it again."""
        if receipt.outcome == "stored" and receipt.provider_id != claim.entry_id:
            self._entries.remove(claim)  # it is stored as another entry, which goes by itself
            return
        if receipt.outcome == "stored":
            self._entries.release(claim, record)
            self._report.stopped = f"no relay took the messages: {receipt.response}"
            return
        self._report.accepted.append(receipt)
        if refusals := _refusals(receipt):
            self._report.failed.append((claim.entry_id, refusals))
        if refused := _refused_paths(envelope, receipt):
            self._entries.release(claim, record.because(refusals).only_for(refused))
        else:
            self._entries.remove(claim)


def _refused_paths(envelope: Envelope, receipt: Receipt) -> tuple[Mailbox, ...]:
    refused = receipt.all_refused
    return tuple(path for path in envelope.forward_paths if path.address in refused)


def _refusals(receipt: Receipt) -> str:
    """Say who was refused and why; Bcc recipients only by their number."""
    texts = [f"{address}: {refusal}" for address, refusal in receipt.refused.items()]
    if receipt.bcc_refused:
        texts.append(f"{receipt.bcc_refused} Bcc recipients were refused")
    return "; ".join(texts)
