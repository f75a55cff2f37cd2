"""What a store can do: five operations, each of them whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """What a listing tells of one thing in the store.

    Args:
        key: its folder and name.
        modified: when it was created or replaced last, in UTC, by the store's clock.
        size: bytes in the store, which are more than were given where they are encrypted.
    """

    key: str
    modified: datetime
    size: int


class Store(Protocol):
    """Bytes by keys; each method raises `RelayConfigurationError` or `TransientFailure` only.

    The first is raised where the path, the permissions, the credentials or the bucket are wrong,
    the second where the disk is full or failing, or the store does not answer: then it is not
    known whether the operation was done.
    """

    @property
    def name(self) -> str:
        """The place, without credentials: ``/var/spool/relay`` or ``s3://bucket/mail``."""
        ...

    def create(self, key: str, data: bytes, *, durable: bool = False) -> bool:
        """Store what is not there yet; of all who create one key, on all hosts, one succeeds.

        Args:
            key: where.
            data: what nobody else would write there: a random part makes it so.
            durable: survive a power cut from now on, at the price of a write to the disk.

        Returns:
            False where there is something already.
        """
        ...

    def read(self, key: str) -> bytes | None:
        """Return what was stored, or None where there is nothing."""
        ...

    def replace(self, key: str, data: bytes, *, durable: bool = False) -> None:
        """Store in place of what is there, if anything is; arguments as for `create`."""
        ...

    def delete(self, key: str) -> None:
        """Remove what is there, if anything is."""
        ...

    def list(self, folder: str) -> list[Entry]:
        """List everything in a folder; nothing where there is no such folder."""
        ...
