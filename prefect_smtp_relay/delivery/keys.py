"""The keys of the mails of one delivery: claimed shortly before each mail goes."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Self

from prefect_smtp_relay.delivery.claim import Claim, Record
from prefect_smtp_relay.delivery.pacing import end_if_cancelled
from prefect_smtp_relay.exceptions import EmailError, ReceiptLookupFailed
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.spool import Spool
from prefect_smtp_relay.transports.waiting import clock, wait_until

if TYPE_CHECKING:
    from prefect_smtp_relay.delivery.attempt import Attempt

_MAX_WAIT_SECONDS = 600.0
_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 0.05, 2.0


class Keys:
    """Claims keys, and records receipts, beside the submission.

    Of the mails of a batch, so many are claimed and not accepted yet at any moment: for each
    connection one that is submitted, one whose receipt is being written, and the few next ones.

    Args:
        settings: name the spool.
        connections: how many mails are submitted at once.
    """

    def __init__(self, settings: SmtpRelaySettings, connections: int) -> None:
        self.busy: list[Attempt] = []
        """Mails that somebody else submits now under their keys."""
        self._settings = settings
        self._ahead = 2 * connections
        self._threads = ThreadPoolExecutor(3 * connections, thread_name_prefix="smtp-relay-keys")
        self._may_write = threading.BoundedSemaphore(connections)
        self._give_up_at: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Wait for what is being written."""
        self._threads.shutdown()

    def claimed(self, attempts: Iterable[Attempt]) -> Iterator[Attempt]:
        """Give the mails that are to be submitted, each with the claim to its key."""
        coming: deque[tuple[Attempt, Future[str] | None]] = deque()
        for attempt in attempts:
            future = self._begin(attempt) if attempt.draft.idempotency_key else None
            coming.append((attempt, future))
            if len(coming) > self._ahead:
                yield from self._ready(*coming.popleft())
        for each in coming:
            yield from self._ready(*each)

    def wait(self, attempt: Attempt) -> None:
        """Wait until a key is free, or has its receipt; then `Attempt.outcome` says which.

        Whoever waits has claimed nothing: of two batches, each would wait for the other.
        """
        if self._give_up_at is None:
            self._give_up_at = clock().now() + _MAX_WAIT_SECONDS
        pause = _FIRST_PAUSE_SECONDS
        while owner := attempt.claim(self):
            if pause == _FIRST_PAUSE_SECONDS:
                run_logger().info("Waiting for the mail of this key, which %s submits.", owner)
            if clock().now() >= self._give_up_at:
                attempt.take(_taken_too_long(owner))
                return
            wait_until(clock().now() + pause, end_if_cancelled)
            pause = min(2 * pause, _MAX_PAUSE_SECONDS)

    @cached_property
    def _spool(self) -> Spool:
        """Opened for the first mail that has a key."""
        return self._settings.open_spool()

    def claim(self, name: str) -> Claim | Record:
        """Claim a key, as `Claim.of` does.

        Args:
            name: its hash.
        """
        place = place_of(name)
        keeps = self._settings.unknown_outcome == "keep"
        found = Claim.of(self._spool, place, keeps_unknown=keeps)
        if isinstance(found, Claim) and name[2] == "0":  # in passing, one time of sixteen
            self._remove_old(place.rpartition("/")[0])
        return found

    def end(self, ending: Callable[[], None]) -> None:
        """Write how a claim ends, beside the submission of the next mail of the connection."""
        self._may_write.acquire()
        self._threads.submit(copy_context().run, ending).add_done_callback(
            lambda _: self._may_write.release()
        )

    def _begin(self, attempt: Attempt) -> Future[str]:
        return self._threads.submit(copy_context().run, attempt.claim, self)

    def _ready(self, attempt: Attempt, claiming: Future[str] | None) -> Iterator[Attempt]:
        if claiming is not None and claiming.result():
            self.busy.append(attempt)
        elif attempt.outcome is None:
            yield attempt

    def _remove_old(self, folder: str) -> None:
        """Remove the keys of a folder whose last claim or receipt is too old."""
        before = datetime.now(UTC) - timedelta(days=self._settings.keep_keys_days)
        with suppress(EmailError):
            found = self._spool.list(folder)
            young = {_key_of(each.key) for each in found if each.modified >= before}
            for each in found:
                if _key_of(each.key) not in young:
                    self._spool.delete(each.key)


def place_of(name: str) -> str:
    """Where the claim of a key is, or its receipt.

    Args:
        name: the hash of the key.
    """
    return f"keys/{name[:2]}/{name}"


def content_of(draft: Draft) -> str:
    """Tell a mail from another one, without telling who gets it.

    The body may hold the time of day, so it does not count; nor do Bcc recipients, whom nobody
    must be able to guess who knows the key.
    """
    shown = [sorted(m.address for m in draft.to + draft.cc), draft.subject]
    return hmac.new(
        draft.idempotency_key.encode(), json.dumps(shown).encode(), hashlib.sha256
    ).hexdigest()


def note_repeat(receipt: Receipt, *, same: bool) -> None:
    """Log that a mail was accepted before under its key, and that nothing was submitted.

    Args:
        receipt: of the first mail.
        same: whether this one has the same visible recipients and subject.
    """
    run_logger().info(
        "The mail %s was %s before, under the same idempotency_key: nothing was submitted.",
        receipt.message_id,
        receipt.outcome,
    )
    if not same:
        run_logger().warning(
            "The mail of this idempotency_key, %s, had other recipients or another subject: this"
            " one is not submitted. Use a key that tells the two apart.",
            receipt.message_id,
        )


def _key_of(place: str) -> str:
    return place.partition(".")[0]


def _taken_too_long(owner: str) -> ReceiptLookupFailed:
    return ReceiptLookupFailed(
        f"{owner} has submitted the mail of this key for {_MAX_WAIT_SECONDS:.0f} s",
        "Nothing was submitted. Check whether it is stuck.",
        field="idempotency_key",
    )
