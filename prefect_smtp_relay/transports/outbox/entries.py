"""The entries in the directory: their names, their claims, and what they hold in clear text."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime

from prefect_smtp_relay.exceptions import EmailError, MessageError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.parse import read_message
from prefect_smtp_relay.mail.mime.render import MimeText
from prefect_smtp_relay.transports.directory import PrivateDirectory
from prefect_smtp_relay.transports.outbox.cipher import Cipher
from prefect_smtp_relay.transports.outbox.record import Record
from prefect_smtp_relay.transports.outbox.stored_mail import StoredMail

CLAIM_SECONDS = 15 * 60
"""Longer than a submission takes: an older claim belongs to a process that died."""

LEFTOVER_SECONDS = 24 * 60 * 60
"""Longer than a message is being written or submitted: what is older belongs to nobody."""

_MESSAGE = re.compile(r"([0-9a-f]{32})\.(?:eml|[0-9a-f]{16}\.claimed)")
_RECORD = re.compile(r"([0-9a-f]{32})\.json")
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")


class Entries:
    """Stored messages; every method raises only `EmailError`.

    Args:
        directory: where their files lie.
        cipher: encrypts and decrypts the files.
    """

    def __init__(self, directory: PrivateDirectory, cipher: Cipher) -> None:
        self._directory = directory
        self._cipher = cipher

    def put(self, record: Record, text: MimeText) -> str:
        """Store a message, in place of itself where it is stored already.

        One that a flush has claimed is stored already, and left to that flush.

        Returns:
            The id of the entry.
        """
        entry_id = hashlib.sha256(record.message_id.encode()).hexdigest()[:32]
        if not self._files().get(entry_id, "").endswith(".claimed"):
            self._directory.write(
                {
                    f"{entry_id}.json": self._sealed(record),
                    f"{entry_id}.eml": self._cipher.seal(text),
                }
            )
        return entry_id

    def stored(self) -> list[StoredMail]:
        """List all entries, the oldest first."""
        described = (self._describe(*item) for item in self._files().items())
        mails = (mail for mail in described if mail is not None)
        return sorted(mails, key=lambda mail: (mail.stored_at, mail.id))

    def count(self) -> int:
        """Count all entries, without reading them."""
        return len(self._files())

    def load(self, file: str) -> tuple[Record, Message, Envelope]:
        """Read an entry by the name of its ``.eml`` or its claim.

        Raises:
            RelayConfigurationError: no key fits.
            MessageError: it is gone or damaged.
        """
        record, data = self._record(_id_of(file)), self._read(file)
        if len(data) < record.size:
            # A text alone has no end that the MIME structure could miss.
            raise MessageError(f"{file} has {len(data)} of {record.size} bytes", "Restore it.")
        message = replace(
            read_message(data, record.bcc),
            requested_from=record.requested_from,
            reverse_path=record.requested_reverse_path,
            categories=record.categories,
        )
        return record, message, record.envelope

    def claim(self, mail: StoredMail) -> str | None:
        """Take an entry for this flush alone; an interrupted claim is taken over.

        Renaming is the lock. Both files become young first: the claim must not look interrupted
        to another flush, nor the record like a leftover to `sweep`, for a moment either.

        Returns:
            The name of the claim, or None where another flush was first.
        """
        claim = f"{mail.id}.{secrets.token_hex(8)}.claimed"
        self._directory.touch(f"{mail.id}.json")
        self._directory.touch(mail.path.name)
        return claim if self._directory.rename(mail.path.name, claim) else None

    def release(self, claim: str, record: Record | None = None) -> None:
        """Give a claimed entry back, with a new record where one is given.

        A claim that another flush took over meanwhile is that flush's business.
        """
        entry_id = _id_of(claim)
        if record is not None and self._directory.modified(claim) is not None:
            self._directory.write({f"{entry_id}.json": self._sealed(record)})
        self._directory.rename(claim, f"{entry_id}.eml")

    def remove(self, claim: str) -> None:
        """Remove a claimed entry: a relay has it.

        The same message stored again meanwhile goes with it: its Message-ID says that it is
        the same. A claim that another flush took over is that flush's business.
        """
        entry_id = _id_of(claim)
        if self._directory.remove(claim):
            self._directory.remove(f"{entry_id}.eml")
            self._directory.remove(f"{entry_id}.json")

    def sweep(self) -> None:
        """Remove what crashes left behind a day ago: half-written files, records of nothing."""
        names = self._directory.names()
        stored = {_id_of(name) for name in names if _MESSAGE.fullmatch(name)}
        for name in names:
            record = _RECORD.fullmatch(name)
            if _TEMPORARY.fullmatch(name) or (record and record[1] not in stored):
                # Its age is asked after the listing, which may have missed a file that a claim
                # was just renaming; see `claim`.
                modified = self._directory.modified(name)
                if modified is not None and time.time() - modified > LEFTOVER_SECONDS:
                    self._directory.remove(name)

    def _files(self) -> dict[str, str]:
        """Entry id to the file of its message, the claim where there are two."""
        names = filter(_MESSAGE.fullmatch, self._directory.names())
        return {_id_of(name): name for name in sorted(names, key=lambda n: n.endswith(".claimed"))}

    def _describe(self, entry_id: str, file: str) -> StoredMail | None:
        """Describe an entry, or return None where it was removed or renamed meanwhile."""
        record, error = None, ""
        try:
            record = self._record(entry_id)
        except EmailError as failure:
            error = str(failure)
        # Asked last: a record is missing for good reason where its message is gone too.
        modified = self._directory.modified(file)
        if modified is None:
            return None
        is_claim, is_old = file.endswith(".claimed"), time.time() - modified > CLAIM_SECONDS
        mail = StoredMail(
            id=entry_id,
            path=self._directory.path / file,
            stored_at=datetime.fromtimestamp(modified, UTC),
            claimed=is_claim and not is_old,
            interrupted=is_claim and is_old,
            error=error,
        )
        return mail if record is None else _filled(mail, record)

    def _record(self, entry_id: str) -> Record:
        file = f"{entry_id}.json"
        return Record.parse(self._read(file), file)

    def _read(self, file: str) -> bytes:
        data = self._directory.read(file)
        if data is None:
            raise MessageError(f"{file} is not in {self._directory.path}", "Restore it.")
        return self._cipher.unseal(data, file)

    def _sealed(self, record: Record) -> list[bytes]:
        return [*self._cipher.seal([record.model_dump_json(indent=1).encode()])]


def _id_of(file: str) -> str:
    return file.partition(".")[0]


def _filled(mail: StoredMail, record: Record) -> StoredMail:
    return replace(
        mail,
        stored_at=record.stored_at.astimezone(UTC),
        reason=record.reason,
        message_id=record.message_id,
        subject=record.subject,
        from_=record.from_,
        recipients=len(record.forward_paths),
        size=record.size,
        may_be_accepted=record.may_be_accepted,
    )
