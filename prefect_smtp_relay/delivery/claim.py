"""The claim to a key: one mail for one ``idempotency_key``, over all hosts that share a spool.

Whoever submits a mail under a key creates a claim before, which only one can, and replaces it by
the receipt as soon as the mail is accepted. A claim whose owner died before that says that nobody
knows what became of the mail. Who takes it over creates the next one beside it, ``<name>.2``, so
that of two one wins; the last one counts.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, ValidationError

from prefect_smtp_relay.exceptions import (
    EmailError,
    OutcomeUnknown,
    ReceiptDamaged,
    ReceiptLookupFailed,
    TransientFailure,
)
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.spool import Spool


class Record(BaseModel):
    """What the spool has under a key: a receipt, or the claim of somebody who has none yet.

    Args:
        receipt: what the caller got.
        content: tells the mail from another one; says nothing to those who do not know it.
        owner: the lease of the process that submits the mail; empty where nobody does any more,
            and nobody knows what became of it.
        process: names that process for people.
        nonce: tells a claim from every other one.
    """

    model_config = ConfigDict(frozen=True)

    receipt: Receipt | None = None
    content: str = ""
    owner: str = ""
    process: str = ""
    nonce: str = ""

    def as_bytes(self) -> bytes:
        """Write it as JSON."""
        return self.model_dump_json(exclude_defaults=True).encode()


class _InThisProcess:
    """What this process knows of its claims: their places are spools and names.

    Those that it works on, those that wait for its next try, and receipts that the spool did not
    take.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.under_way: set[tuple[str, str]] = set()
        self.paused: dict[tuple[str, str], Claim] = {}
        self.unwritten: dict[tuple[str, str], tuple[Claim, Record]] = {}


@dataclass(eq=False)
class Claim:
    """The right to submit the mail of one key.

    Args:
        spool: where it is.
        name: of the key there.
        place: of the claim there, once it is created.
    """

    spool: Spool
    name: str
    place: str = ""
    _lease_id: str = field(default="", init=False)
    _kept: ExitStack = field(default_factory=ExitStack, init=False)

    @classmethod
    def of(cls, spool: Spool, name: str, *, keeps_unknown: bool) -> Claim | Record:
        """Claim a key, unless somebody did before.

        Args:
            spool: where.
            name: of the key there.
            keeps_unknown: whether a mail that may have been accepted is not submitted again.

        Returns:
            The claim; or what is there: a receipt, or the claim of another one who is alive.

        Raises:
            ReceiptLookupFailed: the spool did not say what is there; nothing was submitted.
            ReceiptDamaged: nobody can read what is there.
            OutcomeUnknown: nobody knows what became of the mail, and `keeps_unknown`.
            RelayConfigurationError: the spool cannot be used.
        """
        here, key = process_memory.of(_InThisProcess), (spool.name, name)
        with here.lock:
            if key in here.unwritten:
                return here.unwritten[key][1]
            if key in here.under_way:
                return Record(process="this process")
            here.under_way.add(key)
            paused = here.paused.pop(key, None)
        if paused is not None:
            return paused
        claim = cls(spool, name)
        try:
            if (found := claim._create(keeps_unknown=keeps_unknown)) is None:
                return claim
        except TransientFailure as error:
            claim._end()
            raise _not_asked(error) from error
        except BaseException:
            claim._end()
            raise
        claim._end()
        return found

    @classmethod
    def forget_stored(cls, spool: Spool, name: str, message_id: str) -> None:
        """Free a key whose receipt says that its mail is stored, as that mail is discarded now.

        Any other receipt stays, and so does the claim of a mail of which nobody knows what became.

        Args:
            spool: where.
            name: of the key there.
            message_id: of the mail, which nobody else can have now.

        Raises:
            EmailError: the spool does not say, or nobody can read what is there.
        """
        claim, number = cls(spool, name), 1
        place, found = name, claim._read(name)
        while found is not None and found.receipt is None:
            number += 1
            place = f"{name}.{number}"
            found = claim._read(place)
        receipt = found and found.receipt
        if receipt and receipt.outcome == "stored" and receipt.message_id == message_id:
            spool.delete(place)

    def check(self) -> None:
        """Make sure that nobody takes this process for dead, right before a mail is submitted.

        Raises:
            TransientFailure: another one may have the key.
        """
        self.spool.lease.check(self._lease_id)

    def record(self, receipt: Receipt, content: str) -> None:
        """Put the receipt in place of the claim; the mail is out, so a failure is only logged.

        Then this process remembers the receipt, and nobody else gets the key while it runs.
        """
        record = Record(receipt=receipt, content=content)
        try:
            self.spool.replace(self.place, record.as_bytes())
        except Exception as error:  # whatever it is, the mail is out
            run_logger().error(
                "The mail %s was %s, but its receipt could not be written: %s Its key stays"
                " claimed as long as this process runs; after that, the outcome of the mail counts"
                " as unknown.",
                receipt.message_id,
                receipt.outcome,
                f"{str(error).rstrip('.')}.",
            )
            process_memory.of(_InThisProcess).unwritten[self.spool.name, self.name] = self, record
        else:
            self._end()

    def release(self) -> None:
        """Give the key back: nobody has the mail."""
        try:
            self.check()
            self.spool.delete(self.place)
        except EmailError as error:
            run_logger().warning(
                "A key could not be given back, so the outcome of its mail counts as unknown: %s",
                error,
            )
        finally:
            self._end()

    def leave(self) -> None:
        """Say in the spool that nobody knows what became of the mail."""
        try:
            record = Record(process=_this_process(), nonce=secrets.token_hex(8))
            self.spool.replace(self.place, record.as_bytes())
        except EmailError as error:
            run_logger().warning("The outcome of a mail could not be marked unknown: %s", error)
        finally:
            self._end()

    def pause(self) -> None:
        """Keep the key for the next try of the mail in this process: some have it already."""
        here, key = process_memory.of(_InThisProcess), (self.spool.name, self.name)
        with here.lock:
            here.paused[key] = self
            here.under_way.discard(key)

    def _create(self, *, keeps_unknown: bool) -> Record | None:
        """Create the claim; return what stands in its place instead."""
        self._lease_id = lease_id = self._kept.enter_context(self.spool.lease.kept())
        nonce = secrets.token_hex(8)
        own = Record(owner=lease_id, process=_this_process(), nonce=nonce).as_bytes()
        number, found = 1, None
        while True:
            place = self.name if number == 1 else f"{self.name}.{number}"
            takes = found is None or not keeps_unknown
            if takes and self.spool.create(place, own):
                self.place = place
                if found is not None:
                    _log_takeover(found)
                return None
            last = self._read(place)
            if last is None:
                if found is not None and keeps_unknown:
                    raise _unknown(self.spool, found)
                continue  # it was given back meanwhile
            if last.receipt is not None or not self._is_left(place, last, lease_id):
                return last
            number, found = number + 1, last

    def _read(self, place: str) -> Record | None:
        data = self.spool.read(place)
        try:
            return None if data is None else Record.model_validate_json(data)
        except ValidationError as error:
            raise ReceiptDamaged(
                f"{place} in {self.spool.name} is damaged. It was written when a mail of this key"
                " was submitted, so nothing was submitted now",
                "Look for that mail; remove the file to submit it again, or use another key.",
                field="idempotency_key",
            ) from error

    def _is_left(self, place: str, found: Record, own_lease: str) -> bool:
        """Whether nobody submits the mail of a claim any more."""
        if found.owner in {"", own_lease}:  # what this process works on is known
            return True
        # The owner may have written the receipt, and ended, since the claim was read.
        return self.spool.lease.is_dead(found.owner) and self._read(place) == found

    def _end(self) -> None:
        here = process_memory.of(_InThisProcess)
        with here.lock:
            here.under_way.discard((self.spool.name, self.name))
        self._kept.close()


def _this_process() -> str:
    return f"{socket.gethostname()}, process {os.getpid()}"


def _not_asked(error: TransientFailure) -> ReceiptLookupFailed:
    return ReceiptLookupFailed(
        f"nobody knows whether the mail was accepted before: {error}",
        "Nothing was submitted. Make the spool work, or name another one.",
        field="idempotency_key",
    )


def _unknown(spool: Spool, found: Record) -> OutcomeUnknown:
    return OutcomeUnknown(
        spool.name,
        f"idempotency_key: it is not known what became of the mail of this key, which"
        f" {found.process} submitted: it may have been accepted. Look for its Message-ID in the"
        " relay's log.",
        stage="key",
    )


def _log_takeover(found: Record) -> None:
    run_logger().warning(
        "It is not known what became of the mail of this idempotency_key, which %s submitted: it"
        " may have been accepted. It is submitted again, with the same Message-ID.",
        found.process,
    )
