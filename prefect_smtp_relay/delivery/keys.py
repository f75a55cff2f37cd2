"""At most one mail for one ``idempotency_key``, as far as Prefect's result storage reaches.

Whoever submits a mail under a key holds the key's lock, looks for a receipt in the result storage,
and writes one as soon as the mail is accepted for good.

A ``cache_policy`` of Prefect does less: it knows whole task runs, so neither a mail called by
``.fn`` nor one of the many of a batch; it takes a storage that cannot be read for an empty one, and
runs the task; and the lock files of its lock manager outlive a process that is killed, where the
kernel takes back ours.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prefect.settings import get_current_settings

from prefect_smtp_relay.delivery.identity import seed_of_key
from prefect_smtp_relay.delivery.receipt_storage import ReceiptStorage, Record
from prefect_smtp_relay.exceptions import EmailError, ReceiptLookupFailed
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.runtime.log import run_logger

MAX_AT_ONCE = 64
"""Keys to claim together: each may take an open file."""

_MAX_WAIT_SECONDS = 600.0
_LOCK_DIGITS = 3


@dataclass(frozen=True)
class Claim:
    """A draft whose key, if it has one, nobody else on this machine submits under.

    Args:
        draft: the checked message.
        storage: where its receipt is kept; None where nobody looked there.
        found: what is kept there, or stands against looking.
    """

    draft: Draft
    storage: ReceiptStorage | None = None
    found: Record | EmailError | None = None

    def recall(self) -> Receipt | None:
        """Give the receipt of the mail that was accepted under this key, if one was.

        Raises:
            ReceiptLookupFailed: nobody knows whether one was.
            ReceiptDamaged: one was, and no more is known.
        """
        if isinstance(self.found, EmailError):
            raise self.found.copy()
        if self.found is None:
            return None
        note_repeat(self.found.receipt, same=self.found.content == content_of(self.draft))
        return self.found.receipt

    def record(self, receipt: Receipt) -> None:
        """Keep a receipt; the mail is out, so a failure is only logged.

        Args:
            receipt: the last one of the mail: no recipient is tried again.
        """
        if not self.draft.idempotency_key:
            return
        try:
            record = Record(receipt=receipt, content=content_of(self.draft))
            (self.storage or ReceiptStorage()).write(_name(self.draft), record)
        except Exception as error:  # whatever the storage raises, the mail is out
            run_logger().warning(
                "The mail %s was %s, but its receipt could not be written to the result storage"
                " (%s): another call with its idempotency_key submits it again.",
                receipt.message_id,
                receipt.outcome,
                type(error).__name__,
            )


@contextlib.contextmanager
def claiming(drafts: Sequence[Draft]) -> Iterator[list[Claim]]:
    """Hold the keys of drafts, and look up what became of them; others wait until the end.

    Args:
        drafts: at most `MAX_AT_ONCE` of them with a key, each with another one.

    Returns:
        A claim for each; what stands against a look-up is raised by `Claim.recall`.
    """
    names = [_name(draft) for draft in drafts if draft.idempotency_key]
    storage, found = None, dict[str, Record | EmailError | None]()
    with contextlib.ExitStack() as held:
        if names:
            try:
                _lock(names, held)
                storage = ReceiptStorage()
                found = storage.read(names)
            except ReceiptLookupFailed as error:
                found = dict.fromkeys(names, error)
        yield [Claim(draft, storage, found.get(_name(draft))) for draft in drafts]


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


def content_of(draft: Draft) -> str:
    """Tell a mail from another one, without telling who gets it.

    The body may hold the time of day, so it does not count; nor do Bcc recipients, whom nobody
    must be able to guess who knows the key.
    """
    shown = [sorted(m.address for m in draft.to + draft.cc), draft.subject]
    return hmac.new(
        draft.idempotency_key.encode(), json.dumps(shown).encode(), hashlib.sha256
    ).hexdigest()


def _name(draft: Draft) -> str:
    return seed_of_key(draft.idempotency_key)


def _lock(names: Sequence[str], held: contextlib.ExitStack) -> None:
    """Take the locks of some names.

    Sorted, so that of two batches one waits, and never each for the other. Names share some
    thousand lock files, which stay: to remove a file that others wait for would let two in.
    """
    import filelock  # 20 modules, for mails with a key

    folder = get_current_settings().home / "smtp-relay" / "locks"
    give_up_at = time.monotonic() + _MAX_WAIT_SECONDS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for digits in sorted({name[-_LOCK_DIGITS:] for name in names}):
            left = max(0.0, give_up_at - time.monotonic())
            held.enter_context(filelock.FileLock(folder / f"{digits}.lock", timeout=left))
    except filelock.Timeout as error:
        raise ReceiptLookupFailed(
            f"idempotency_key: another process has submitted mail under {error.lock_file} for"
            f" {_MAX_WAIT_SECONDS:.0f} s. Nothing was submitted. Look whether it hangs."
        ) from error
    except OSError as error:
        raise ReceiptLookupFailed(
            f"idempotency_key: cannot lock a file in {folder} ({type(error).__name__}). Nothing was"
            " submitted. Check the permissions and free space there, or set PREFECT_HOME."
        ) from error
