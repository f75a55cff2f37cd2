"""Leases: the sign that a process is alive, for everybody who meets its claims.

A process has one lease in a store: an object that one thread renews while anything is claimed. A
claim names the lease of its owner. Who finds a claim whose lease has ended may take it over, by an
exclusive create of the next claim, so that of two takers one wins.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from prefect_smtp_relay.exceptions import EmailError, RelayConfigurationError, TransientFailure
from prefect_smtp_relay.spool.store import Store

LEASE_SECONDS = 30.0
"""Without a renewal for so long, a process is taken for dead."""

_RENEWALS = 3
"""In that time, so that one may fail."""

_LEFTOVER_SECONDS = 60 * 60
"""What was not renewed for so long is removed: a process that is killed leaves its lease, and so
does each that exits with a spool in object storage, whose library has ended by then."""

_FOLDER = "leases"


class Lease:
    """The lease of this process in one store.

    Args:
        store: where it is, with the claims.
        seconds: how long a lease lasts after its last renewal.
    """

    def __init__(self, store: Store, seconds: float = LEASE_SECONDS) -> None:
        self._store = store
        self._seconds = seconds
        self._lock = threading.Lock()
        self._users = 0
        self._id = ""
        self._renewed = 0.0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def kept(self) -> Iterator[str]:
        """Keep the lease for a while, in which claims may name it.

        Returns:
            Its id.

        Raises:
            RelayConfigurationError: the store cannot be used, or does not create exclusively.
            TransientFailure: it does not answer.
        """
        with self._lock:
            if not self._id:
                self._start()
            self._users += 1
            lease_id = self._id
        try:
            yield lease_id
        finally:
            with self._lock:
                self._users -= 1

    def check(self, lease_id: str) -> None:
        """Make sure that nobody takes this process for dead: it may have slept, or lost the store.

        Args:
            lease_id: of a claim; a lease that has ended does not begin again.

        Raises:
            TransientFailure: the claim may have been taken over.
        """
        if lease_id != self._id or time.monotonic() - self._renewed > self._seconds * 2 / 3:
            raise TransientFailure(
                self._store.name,
                "this process could not renew its lease in time; another one may do its work.",
                stage="store",
            )

    def is_dead(self, lease_id: str) -> bool:
        """Whether a lease has ended, by the store's clock; this process's own one has not."""
        with self.kept() as own:
            if lease_id == own:
                return False
            self._renew(own)  # its time is now, by the store's clock
            renewed = {entry.key: entry.modified for entry in self._store.list(_FOLDER)}
            theirs = renewed.get(_key(lease_id))
            now = renewed[_key(own)]
        return theirs is None or (now - theirs).total_seconds() > self._seconds

    def close(self) -> None:
        """Give the lease back."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(self._seconds)
        with self._lock, suppress(EmailError):
            self._forget()

    def _start(self) -> None:
        lease_id = secrets.token_hex(16)
        self._store.create(_key(lease_id), lease_id.encode())
        if self._store.create(_key(lease_id), secrets.token_bytes(16)):
            raise RelayConfigurationError(
                f"{self._store.name} does not create exclusively: two processes could submit one"
                " mail",
                "Use another store, or a newer version of this one (S3: If-None-Match).",
                field="spool",
            )
        self._sweep(lease_id)
        self._id, self._renewed, self._ended = lease_id, time.monotonic(), threading.Event()
        self._thread = threading.Thread(
            target=self._keep, args=(lease_id, self._ended), name="spool-lease", daemon=True
        )
        self._thread.start()

    def _sweep(self, own: str) -> None:
        entries = self._store.list(_FOLDER)
        now = max(entry.modified for entry in entries if entry.key == _key(own))
        for entry in entries:
            if (now - entry.modified).total_seconds() > _LEFTOVER_SECONDS:
                self._store.delete(entry.key)

    def _keep(self, lease_id: str, ended: threading.Event) -> None:
        while not ended.wait(self._seconds / _RENEWALS):
            # The store may be away for a while: `check` says where that was too long.
            with suppress(EmailError):
                self._renew(lease_id)
                with self._lock:
                    if lease_id == self._id and not self._users:
                        self._forget()
                    if lease_id != self._id:
                        return

    def _renew(self, lease_id: str) -> None:
        before = time.monotonic()
        self._store.replace(_key(lease_id), secrets.token_bytes(16))
        with self._lock:
            if lease_id != self._id:
                return
            if time.monotonic() - self._renewed > self._seconds:
                self._id = ""  # too late: somebody may have met it in the meantime
            self._renewed = max(before, self._renewed)

    def _forget(self) -> None:
        lease_id, self._id = self._id, ""
        if lease_id:
            self._store.delete(_key(lease_id))


class Leases:
    """The leases of this process, one for each store."""

    def __init__(self, seconds: float = LEASE_SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._leases: dict[str, Lease] = {}

    def of(self, store: Store) -> Lease:
        """Return the lease in a store."""
        with self._lock:
            if store.name not in self._leases:
                self._leases[store.name] = Lease(store, self._seconds)
            return self._leases[store.name]

    def close(self) -> None:
        """Give all leases back: what this process has claimed is free at once."""
        for lease in self._leases.values():
            lease.close()


def _key(lease_id: str) -> str:
    return f"{_FOLDER}/{lease_id}"
