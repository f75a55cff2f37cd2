"""Mail in the outbox that nobody wants any more: discarded, and its key is free again."""

from __future__ import annotations

from collections.abc import Sequence

from prefect_smtp_relay.delivery.claim import Claim
from prefect_smtp_relay.delivery.identity import hash_of_key
from prefect_smtp_relay.delivery.keys import place_of
from prefect_smtp_relay.delivery.resubmit import flush
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.transports.outbox import DiscardReport, FlushReport, StoredMail
from prefect_smtp_relay.transports.outbox.record import Record
from prefect_smtp_relay.transports.outbox.stored_mail import copies


def discard(settings: SmtpRelaySettings, ids: Sequence[str]) -> DiscardReport:
    """Remove mails from the outbox, but none that a flush has claimed.

    The key of a mail that was stored because nothing was connected has a receipt that says so. It
    goes too: a flow that is run again submits its mail. Where nobody knows what became of a mail,
    its key goes on saying that.

    Args:
        settings: name the outbox.
        ids: of its entries.

    Raises:
        EmailError: the outbox itself failed.
    """
    spool = settings.open_spool()

    def forget(record: Record) -> None:
        if record.idempotency_key:
            place = place_of(hash_of_key(record.idempotency_key))
            Claim.forget_stored(spool, place, record.message_id)

    return open_outbox(settings).discard(ids, forget)


def flush_newest(
    settings: SmtpRelaySettings,
    ids: Sequence[str],
    groups: Sequence[Sequence[StoredMail]],
    *,
    is_named: bool = False,
    only_due: bool = False,
) -> tuple[FlushReport, DiscardReport]:
    """Submit mails, but of copies only the newest; discard the others once a relay has that one.

    Args:
        settings: name the outbox.
        ids: of the entries that somebody has chosen, copies included; others are left.
        groups: copies among them, the oldest first.
        is_named: whether each was named, and what may have been accepted is wanted, too.
        only_due: as for `Outbox.flush`.

    Returns:
        What was submitted, and what was discarded.

    Raises:
        EmailError: the outbox itself failed, or the Prefect API could not be asked.
    """
    older = {copy.id: group[-1] for group in groups for copy in group[:-1]}
    chosen = [each for each in ids if each not in older]
    report = flush(settings, chosen if is_named else (), among=chosen, only_due=only_due)
    accepted = {receipt.message_id for receipt in report.accepted}
    superseded = [each for each, newest in older.items() if newest.message_id in accepted]
    discarded = discard(settings, superseded)
    report.remaining = discarded.remaining
    return report, discarded


def flush_each_once(
    settings: SmtpRelaySettings, *, only_due: bool = False
) -> tuple[FlushReport, DiscardReport]:
    """Submit all that waits, of copies only the newest; arguments and result as `flush_newest`."""
    mails = open_outbox(settings).entries()
    free = [mail for mail in mails if not (mail.error or mail.claimed or mail.may_be_accepted)]
    return flush_newest(settings, [mail.id for mail in mails], copies(free), only_due=only_due)
