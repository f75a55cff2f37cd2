"""Flushing: hands stored messages to a relay, each at most once a flush."""

from __future__ import annotations

from collections.abc import Callable, Collection

from prefect_smtp_relay.exceptions import EmailError, OutcomeUnknown
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.outbox.entries import Entries
from prefect_smtp_relay.transports.outbox.record import Record
from prefect_smtp_relay.transports.outbox.stored_mail import FlushReport

Submit = Callable[[Message, Envelope], Receipt]


def flush(entries: Entries, submit: Submit, ids: Collection[str] = ()) -> FlushReport:
    """Submit what is stored, the oldest first; see `Outbox.flush`."""
    report = FlushReport()
    entries.sweep()
    for mail in entries.stored():
        if ids and mail.id not in ids:
            continue
        if mail.error:
            report.failed.append((mail.id, mail.error))
        elif mail.may_be_accepted and not ids:
            report.unknown.append(mail.id)
        elif not mail.claimed and (claim := entries.claim(mail)):
            _flush_one(entries, claim, submit, report)
        if report.stopped:
            break
    report.remaining = entries.count()
    return report


def _flush_one(entries: Entries, claim: str, submit: Submit, report: FlushReport) -> None:
    entry_id = claim.partition(".")[0]
    record = None
    try:
        record, message, envelope = entries.load(claim)
        receipt = submit(message, envelope)
    except EmailError as error:
        is_unknown = isinstance(error, OutcomeUnknown)
        entries.release(claim, record and record.because(str(error), may_be_accepted=is_unknown))
        report.failed.append((entry_id, str(error)))
        return
    except BaseException:
        entries.release(claim)
        raise
    if receipt.outcome == "stored":
        entries.release(claim)
        report.stopped = f"no relay took the messages: {receipt.response}"
        return
    report.accepted.append(receipt)
    if refusals := _refusals(receipt):
        report.failed.append((entry_id, refusals))
    _settle(entries, claim, record.because(refusals), _refused_paths(envelope, receipt))


def _settle(entries: Entries, claim: str, record: Record, refused: tuple[Mailbox, ...]) -> None:
    """Keep the entry for those who were refused: nobody else must get it again."""
    if refused:
        entries.release(claim, record.only_for(refused))
    else:
        entries.remove(claim)


def _refused_paths(envelope: Envelope, receipt: Receipt) -> tuple[Mailbox, ...]:
    refused = receipt.all_refused
    return tuple(path for path in envelope.forward_paths if path.address in refused)


def _refusals(receipt: Receipt) -> str:
    """Say who was refused and why; Bcc recipients only by their number."""
    texts = [f"{address}: {refusal}" for address, refusal in receipt.refused.items()]
    if receipt.bcc_refused:
        texts.append(f"{receipt.bcc_refused} Bcc recipients were refused")
    return "; ".join(texts)
