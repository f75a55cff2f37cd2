"""Who stands in to, cc and bcc of a SendGrid request."""

from __future__ import annotations

from dataclasses import dataclass

from prefect_smtp_relay.exceptions import UnsupportedFeature
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.transports.sendgrid.limits import MAX_RECIPIENTS


@dataclass(frozen=True, slots=True)
class Recipients:
    """The forward-paths, each in one field."""

    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    bcc: tuple[Mailbox, ...]


def sort_recipients(message: Message, envelope: Envelope) -> Recipients:
    """Put each forward-path into the first field that names it; one that none names into bcc.

    SendGrid takes recipients and header fields from the same lists, and refuses an address
    that stands in them twice, whatever its case. So who is not in the envelope is not shown.

    Raises:
        UnsupportedFeature: nobody is left for ``to``, or there are too many recipients.
    """
    waiting = {path.address.lower(): path for path in envelope.forward_paths}
    to, cc = _take(message.to, waiting), _take(message.cc, waiting)
    recipients = Recipients(to, cc, tuple(waiting.values()))
    if not to:
        raise UnsupportedFeature(
            "to: SendGrid takes no mail with cc or bcc alone. Name an address in to (the"
            " sender's own, for example), or deliver through SMTP."
        )
    if (count := len(to) + len(cc) + len(recipients.bcc)) > MAX_RECIPIENTS:
        raise UnsupportedFeature(
            f"to: {count} recipients; SendGrid takes {MAX_RECIPIENTS} in to, cc and bcc together."
            " Split the list."
        )
    return recipients


def _take(named: tuple[Mailbox, ...], waiting: dict[str, Mailbox]) -> tuple[Mailbox, ...]:
    return tuple(m for m in named if waiting.pop(m.address.lower(), None))
