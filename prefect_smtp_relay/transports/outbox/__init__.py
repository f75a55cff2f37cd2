"""The outbox: where mail waits while no relay takes it. Stored, never called accepted.

Two files a message lie in one directory::

    <id>.eml               the whole message (RFC 5322), without its Bcc recipients
    <id>.json              its envelope, Bcc recipients, reason, and when it was stored
    <id>.<token>.claimed   the .eml while a flush submits it
    .<token>.tmp           a file that is being written

The id is a hash of the Message-ID: the same message stored again replaces itself, and no file
name comes from outside. The .json is put in place first and the .eml last, so a message is
stored if and only if its .eml, or its claim, is there. With ``outbox_key`` both files hold
Fernet tokens under the same names, and what is in clear is not submitted. Nor are files of other
users, or that others may open: `Outbox` can be told to take both.
"""

from prefect_smtp_relay.transports.outbox.outbox import Outbox
from prefect_smtp_relay.transports.outbox.stored_mail import FlushReport, StoredMail

__all__ = ["FlushReport", "Outbox", "StoredMail"]
