"""The header fields that the caller sets by their names."""

from __future__ import annotations

from collections.abc import Mapping

from prefect_smtp_relay.exceptions import InvalidHeader
from prefect_smtp_relay.mail.headers.advisory import AUTOMATIC
from prefect_smtp_relay.mail.headers.fields import HeaderFields, check_field
from prefect_smtp_relay.mail.mailbox import Mailbox


def split_headers(
    headers: Mapping[str, str | None],
) -> tuple[Mailbox | None, HeaderFields]:
    """Check them, and part the Sender from the others.

    Args:
        headers: names to values; None leaves a field out, and so does an empty ``Auto-Submitted``.

    Returns:
        The Sender or None, and the others in their order.

    Raises:
        MessageError: one of them is wrong.
    """
    if not isinstance(headers, Mapping):
        raise InvalidHeader(
            "expected a mapping of names to texts", "Write headers={...}.", field="headers"
        )
    checked = [
        check_field(name, "" if value is None else value)
        for name, value in headers.items()
        if value is not None or str(name).lower() in AUTOMATIC
    ]
    senders = [value for name, value in checked if name.lower() == "sender"]
    free = tuple((name, value) for name, value in checked if name.lower() != "sender")
    if len(senders) > 1 or len({name.lower() for name, _ in free}) < len(free):
        raise InvalidHeader(
            "a name is there twice, in upper and lower case", "Remove one.", field="headers"
        )
    return (Mailbox.parse(senders[0], "headers['Sender']") if senders else None), free
