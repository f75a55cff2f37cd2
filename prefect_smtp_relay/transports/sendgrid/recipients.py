"""Who is in to, cc and bcc of a SendGrid request."""

from __future__ import annotations

from dataclasses import dataclass

from prefect_smtp_relay.exceptions import UnsupportedFeature
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.transports.sendgrid.limits import MAX_RECIPIENTS


@dataclass(frozen=True, slots=True)
class Recipients:
    """Those who get one copy, each in one field; SendGrid wants somebody in ``to``."""

    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()


def sort_recipients(message: Message, envelope: Envelope) -> tuple[Recipients, ...]:
    """Put each forward-path into the first field that names it; one that none names into bcc.

    SendGrid takes recipients and header fields from the same lists, and refuses an address
    that is in them twice, whatever its case. So who is not in the envelope is not shown.

    Where nobody is left for ``to``, those in cc move there: they still see each other. Where
    only hidden ones are left, each has a copy of his own (a personalization, in SendGrid's
    words) that names nobody else: mail to a hidden list arrives, and neither the sender nor
    anybody else has to take the place of the missing address.
    """
    waiting = {path.address.lower(): path for path in envelope.forward_paths}
    if (count := len(waiting)) > MAX_RECIPIENTS:
        raise UnsupportedFeature(
            f"{count} recipients; SendGrid takes {MAX_RECIPIENTS} in to, cc and bcc together",
            "Split the list.",
            field="to",
        )
    to, cc = _take(message.to, waiting), _take(message.cc, waiting)
    bcc = tuple(waiting.values())
    if to or cc:
        return (Recipients(to, cc, bcc) if to else Recipients(cc, bcc=bcc),)
    return tuple(Recipients((hidden,)) for hidden in bcc)


def _take(named: tuple[Mailbox, ...], waiting: dict[str, Mailbox]) -> tuple[Mailbox, ...]:
    return tuple(m for m in named if waiting.pop(m.address.lower(), None))
