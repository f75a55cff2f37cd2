"""Receipts in Prefect's result storage, found again by a name, in whichever run and process.

The storage is that of the current task run or flow run, else Prefect's default. What is written
may be read by everybody who may read results: a receipt holds visible recipients, and no Bcc.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable
from json import JSONDecodeError
from typing import Any

from prefect.filesystems import LocalFileSystem
from prefect.results import ResultStore, get_result_store
from prefect.serializers import JSONSerializer
from pydantic import BaseModel, ConfigDict, ValidationError

from prefect_smtp_relay.exceptions import EmailError, ReceiptDamaged, ReceiptLookupFailed
from prefect_smtp_relay.mail.receipt import Receipt

_FOLDER = "prefect-smtp-relay"
_DAMAGE = (JSONDecodeError, UnicodeDecodeError, ValidationError)
"""What Prefect raises where content that was read is no result."""


class Record(BaseModel):
    """What is kept of an accepted mail.

    Args:
        receipt: what the caller got.
        content: tells the mail from another one; says nothing to those who do not know it.
    """

    model_config = ConfigDict(frozen=True)

    receipt: Receipt
    content: str


class ReceiptStorage:
    """Where the current run keeps its results, or Prefect's default outside of runs."""

    def __init__(self) -> None:
        # In JSON, which holds no code; not from memory, where no other process writes.
        self._store = ResultStore(
            result_storage=get_result_store().result_storage,
            serializer=JSONSerializer(),
            cache_result_in_memory=False,
        )

    @property
    def name(self) -> str:
        """For people; the URLs of some storages hold passwords."""
        storage = self._store.result_storage
        if storage is None:  # not even that could be found out
            return "Prefect's default result storage"
        if isinstance(storage, LocalFileSystem):
            return f"the result storage {storage.basepath or '.'}"
        return f"the result storage {storage.get_block_type_slug()}"

    def read(self, names: Iterable[str]) -> dict[str, Record | EmailError | None]:
        """Look up records, and make sure that new ones could be written.

        Args:
            names: of the records.

        Returns:
            For each name the record, None where there is none, or the error that stands against
            submitting its mail.
        """
        found: dict[str, Record | EmailError | None] = {}
        unread: dict[str, Exception] = {}
        for name in names:
            try:
                found[name] = Record.model_validate(self._fetch(name))
            except _DAMAGE as error:
                found[name] = self._damage(name, error)
            except Exception as error:  # whatever the storage raises, here or where nothing is
                unread[name] = error
        return found | self._tell_absent(unread)

    def write(self, name: str, record: Record) -> None:
        """Keep a record.

        Raises:
            Exception: whatever the storage raises.
        """
        self._store.write(record.model_dump(mode="json"), key=f"{_FOLDER}/{name}")

    def _fetch(self, name: str) -> Any:
        return self._store.read(f"{_FOLDER}/{name}").result

    def _tell_absent(self, unread: dict[str, Exception]) -> dict[str, Record | EmailError | None]:
        """Tell records that do not exist from those that cannot be read now."""
        if not unread:
            return {}
        try:
            absence = self._absence(probe=min(unread)[-2:])
        except Exception as error:  # as above
            return {name: self._failure(error) for name in unread}
        return {
            name: None if type(error) is absence else self._failure(error)
            for name, error in unread.items()
        }

    def _absence(self, probe: str) -> type[Exception]:
        """Learn what this storage raises where nothing is, and that it takes and gives back.

        Each storage has its own error for that, and Prefect's `exists` takes every error for it:
        a storage that is down for a minute would look empty, and the mail would go again.

        Args:
            probe: names one of some files that are written over and over; one would not do, as
                object stores slow down who writes the same object again and again.
        """
        name = f"probe-{probe}"
        self._store.write("This storage can be written to.", key=f"{_FOLDER}/{name}")
        with contextlib.suppress(*_DAMAGE):  # another process may be writing it
            self._fetch(name)
        try:
            self._fetch(f"absent-{uuid.uuid4()}")
        except Exception as error:  # the one in question
            return type(error)
        raise LookupError("it has what was never written")

    def _failure(self, error: Exception) -> ReceiptLookupFailed:
        failure = ReceiptLookupFailed(
            f"idempotency_key: cannot read and write {self.name} ({type(error).__name__}), so"
            " nobody knows whether the mail was accepted before. Nothing was submitted. Make it"
            " work, or name another one: result_storage of the flow, or"
            " PREFECT_DEFAULT_RESULT_STORAGE_BLOCK, or PREFECT_LOCAL_STORAGE_PATH."
        )
        failure.__cause__ = error
        return failure

    def _damage(self, name: str, error: Exception) -> ReceiptDamaged:
        damage = ReceiptDamaged(
            f"idempotency_key: {_FOLDER}/{name} in {self.name} is damaged. It was written when a"
            " mail of this key had been accepted, so nothing was submitted. Look for that mail;"
            " remove the file to submit it again, or use another key."
        )
        damage.__cause__ = error
        return damage
