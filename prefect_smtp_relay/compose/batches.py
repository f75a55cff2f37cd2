"""Many mails as the caller gives them: a list, or several short ones for several tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prefect_smtp_relay.exceptions import MessageError

Mails = Sequence[Mapping[str, Any]]
"""Each the arguments of `send_an_email` by their names, but for ``relay`` and ``artifact``."""


def in_batches(mails: Mails, size: int = 500) -> list[Mails]:
    """Split many mails into batches, for ``send_emails.map(in_batches(mails))``.

    Each batch is a task run of its own, which a task runner gives to its threads, processes or
    hosts; it is retried alone.

    Args:
        mails: as for `send_emails`.
        size: the most mails of a batch.

    Returns:
        The batches, in the order of the mails; none where there are no mails.

    Raises:
        MessageError: `mails` is not a list, or `size` is not a whole number above 0.
    """
    check_mails(mails)
    if not isinstance(size, int) or size < 1:
        raise MessageError(f"expected a whole number above 0, got {size!r}.", field="size")
    return [mails[start : start + size] for start in range(0, len(mails), size)]


def check_mails(mails: Mails) -> None:
    """Refuse what is not a list; its mails are checked one by one, where they are drafted.

    Raises:
        MessageError: it is something else.
    """
    if not isinstance(mails, Sequence) or isinstance(mails, (str, bytes)):
        raise MessageError(
            "expected a list of mappings", "Write mails=[{'to': ...}, ...].", field="mails"
        )
