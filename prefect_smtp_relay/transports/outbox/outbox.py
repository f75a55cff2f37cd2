"""The transport that takes every message, and keeps it until a relay does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import SecretStr

from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.render import render_mime
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.directory import PrivateDirectory
from prefect_smtp_relay.transports.outbox.cipher import Cipher
from prefect_smtp_relay.transports.outbox.entries import Entries
from prefect_smtp_relay.transports.outbox.flush import Submit, flush
from prefect_smtp_relay.transports.outbox.record import Record
from prefect_smtp_relay.transports.outbox.stored_mail import FlushReport, StoredMail

_NO_RELAY = "no relay was connected"


class Outbox:
    """Stores messages in a directory; a `Transport` whose receipts say ``stored``.

    Args:
        directory: where; created with mode 0700 when the first message is stored.
        keys: Fernet keys, the newest first; without any, messages are stored in clear text.
        accepts_any: read files of other users and modes too, and those in clear where there are
            keys.

    Raises:
        RelayConfigurationError: one of the keys is not a Fernet key.
    """

    def __init__(
        self, directory: Path, keys: Sequence[SecretStr] = (), *, accepts_any: bool = False
    ) -> None:
        self._directory = directory
        self._entries = Entries(
            PrivateDirectory(directory, self.name, "outbox_path", only_own=not accepts_any),
            Cipher(keys, takes_clear=accepts_any),
        )

    @property
    def name(self) -> str:
        """``outbox:`` and the directory."""
        return f"outbox:{self._directory}"

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Store one message because no relay is connected.

        Args:
            message: what to store.
            envelope: to whom it has to go.

        Returns:
            A receipt with the outcome ``stored``, which nobody has accepted.

        Raises:
            AttachmentError: a file vanished; nothing is stored.
            TransientFailure: the disk is full or failing.
            RelayConfigurationError: ``outbox_path`` names a place that cannot be written to.
        """
        path, size = self._store(message, envelope, _NO_RELAY)
        return Receipt.for_message(
            message,
            transport=self.name,
            outcome="stored",
            accepted=(),
            response=f"stored as {path}",
            provider_id=path.stem,
            size=size,
        )

    def keep(
        self, message: Message, envelope: Envelope, reason: str, *, may_be_accepted: bool = False
    ) -> Path:
        """Store one message, in place of itself where its Message-ID is stored already.

        Args:
            message: what to store.
            envelope: to whom it has to go.
            reason: why no relay has it, for example the text of the final failure.
            may_be_accepted: a relay got it, and its answer was lost: it is only submitted again
                where a flush names it.

        Returns:
            The file. While a flush submits the same message, it bears another name.

        Raises:
            EmailError: as `deliver`.
        """
        path, _ = self._store(message, envelope, reason, may_be_accepted=may_be_accepted)
        return path

    def entries(self) -> list[StoredMail]:
        """List what is stored, the oldest first; unreadable entries too, with their error.

        Raises:
            RelayConfigurationError: ``outbox_path`` names a place that cannot be read.
            TransientFailure: the disk fails.
        """
        return self._entries.stored()

    def read(self, mail: StoredMail) -> tuple[Message, Envelope]:
        """Read an entry: the message with its Bcc recipients, and where it still has to go.

        Raises:
            RelayConfigurationError: it is encrypted with a key that ``outbox_key`` lacks.
            MessageError: it is gone or damaged.
        """
        _, message, envelope = self._entries.load(mail.path.name)
        return message, envelope

    def flush(self, submit: Submit, ids: Collection[str] = ()) -> FlushReport:
        """Hand every stored message to a relay, the oldest first; safe to run twice at once.

        An entry is claimed by renaming its file, so that no other flush submits it. What a
        relay accepts is removed; recipients that it refused stay, alone. What fails stays, with
        the error as its reason. A process that dies in the middle leaves a claim, which
        a flush takes over after 15 minutes: that one message may then arrive twice, with the
        same Message-ID, rather than not at all.

        Args:
            submit: hands one message to a relay, within 15 minutes, and returns its receipt.
                It replaces `FROM_PENDING`. A receipt that says ``stored`` ends the flush.
            ids: the entries to submit; empty for all but those that may have been accepted.

        Raises:
            EmailError: the outbox itself failed; what ``submit`` raises is in the report.
            BaseException: what else ``submit`` raises; its message stays in the outbox.
        """
        return flush(self._entries, submit, ids)

    def _store(
        self, message: Message, envelope: Envelope, reason: str, *, may_be_accepted: bool = False
    ) -> tuple[Path, int]:
        text = render_mime(message)
        record = Record.of(message, envelope, reason, text.size, may_be_accepted=may_be_accepted)
        entry_id = self._entries.put(record, text)
        return self._directory / f"{entry_id}.eml", text.size
