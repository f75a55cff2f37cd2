"""Copies: the same mail stored more than once, each time with a Message-ID and a date of its own.

Nobody but a person knows whether a mail that says the same again is the same event again, or
another one. So each is kept, and whoever stores one learns at once which others wait::

    copies/<name>       the ids of entries that say the same, the newest last

Its name tells nothing to those who lack the spool's keys. It is a hint: what it lists may be gone,
and of two who write it at once one wins.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect_smtp_relay.mail.attachments.attachment import Attachment
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.spool import Spool

MAX_COPIES = 5
"""So many are remembered of one mail: whoever stores another one reads no more than these."""

_FOLDER = "copies"
_LEFTOVER = timedelta(days=7)


class Copies:
    """The hints in a spool.

    Args:
        spool: which has the entries, too.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def note(self, entry_id: str, what: str, is_waiting: Callable[[str], bool]) -> list[str]:
        """Note that a mail is stored.

        Args:
            entry_id: of its entry.
            what: it says, as `says` returns it.
            is_waiting: tells whether an entry says that, and waits.

        Returns:
            The ids of up to `MAX_COPIES` others that say the same, the oldest first.

        Raises:
            EmailError: the spool failed.
        """
        key = f"{_FOLDER}/{self._spool.pseudonym(what)}"
        if self._spool.create(key, _data([entry_id])):
            return []
        listed = _parse(self._spool.read(key))
        others = [each for each in listed if each != entry_id and is_waiting(each)]
        now = [*others, entry_id][-MAX_COPIES:]
        if now != listed:
            self._spool.replace(key, _data(now))
        return others

    def sweep(self) -> None:
        """Remove what nobody has written for a week."""
        before = datetime.now(UTC) - _LEFTOVER
        for entry in self._spool.list(_FOLDER):
            if entry.modified < before:
                self._spool.delete(entry.key)


def says(content: str, forward_paths: Iterable[Mailbox]) -> str:
    """Name what a mail says to whom: the same for its copies, and for no other mail.

    Args:
        content: its `digest_of`; empty where that is unknown.
        forward_paths: whom it still has to reach.

    Returns:
        An empty text where the content is unknown.
    """
    return content and _digest([content, sorted(each.address for each in forward_paths)])


def digest_of(message: Message) -> str:
    """Tell what a message says from what any other one says.

    Its Message-ID and its date do not count, nor does the footer, which names the flow run, nor an
    idempotency key, which no recipient sees. Bcc recipients are no part of it.

    Raises:
        AttachmentError: a file vanished.
    """
    body = message.wording or _digest([message.text, message.html])
    addresses = (message.to, message.cc, message.reply_to)
    return _digest(
        [
            *map(str, (message.requested_from, message.sender, message.reverse_path)),
            *([str(mailbox) for mailbox in each] for each in addresses),
            *(message.subject, body, message.headers, message.categories),
            *map(_describe, (*message.attachments, *message.inline_images)),
        ]
    )


def _describe(file: Attachment) -> list[str]:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return [file.name, file.media_type, file.content_id, digest.hexdigest()]


def _digest(values: list[Any]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _data(entry_ids: list[str]) -> bytes:
    return json.dumps(entry_ids).encode()


def _parse(data: bytes | None) -> list[str]:
    """What is damaged lists nothing: it is written anew."""
    with suppress(ValueError):
        listed = json.loads(data or b"[]")
        if isinstance(listed, list):
            return [each for each in listed if isinstance(each, str) and each.isalnum()]
    return []
