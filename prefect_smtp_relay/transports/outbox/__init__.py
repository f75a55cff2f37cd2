"""The outbox: where mail waits while no relay takes it. Stored, never called accepted.

In the spool's folder ``outbox``, a message is::

    <id>.json           its envelope, Bcc recipients, reason, and when it was stored
    <id>.eml            the whole message (RFC 5322), without its Bcc recipients
    <id>.<turn>.claim   whose turn it is to submit it

Beside it, ``copies`` tells which entries say the same; see `copies`.

The id is a hash of the Message-ID: the same message stored again replaces itself, and no name
comes from outside. The ``.eml`` is written last and removed first: a message is stored if and
only if it is there. Claims are in `claims`.
"""

from prefect_smtp_relay.transports.outbox.outbox import Outbox
from prefect_smtp_relay.transports.outbox.stored_mail import DiscardReport, FlushReport, StoredMail

__all__ = ["DiscardReport", "FlushReport", "Outbox", "StoredMail"]
