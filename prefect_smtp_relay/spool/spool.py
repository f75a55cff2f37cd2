"""The store that the settings name, opened: sealed with keys, and with this process's lease."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from prefect_smtp_relay.exceptions import InvalidField
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.spool.cipher import HOW_TO_MAKE_A_KEY, Cipher
from prefect_smtp_relay.spool.lease import Lease, Leases
from prefect_smtp_relay.spool.local import LocalStore
from prefect_smtp_relay.spool.remote import EXTRAS, RemoteStore
from prefect_smtp_relay.spool.store import Entry, Store

_PROTOCOL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(::|:/)")


class Spool:
    """A `Store` whose contents are encrypted where there are keys.

    Args:
        store: where they are kept.
        cipher: encrypts and decrypts them.
    """

    def __init__(self, store: Store, cipher: Cipher) -> None:
        self._store = store
        self._cipher = cipher

    @property
    def name(self) -> str:
        """As `Store.name`."""
        return self._store.name

    @property
    def lease(self) -> Lease:
        """This process's lease, for all claims in the store."""
        return process_memory.of(Leases).of(self._store)

    def create(self, key: str, data: bytes, *, durable: bool = False) -> bool:
        """As `Store.create`."""
        return self._store.create(key, self._cipher.seal(data), durable=durable)

    def read(self, key: str) -> bytes | None:
        """As `Store.read`.

        Raises:
            RelayConfigurationError: also where no key fits, or it is in clear where there are keys.
        """
        data = self._store.read(key)
        return None if data is None else self._cipher.unseal(data, f"{self.name}/{key}")

    def replace(self, key: str, data: bytes, *, durable: bool = False) -> None:
        """As `Store.replace`."""
        self._store.replace(key, self._cipher.seal(data), durable=durable)

    def delete(self, key: str) -> None:
        """As `Store.delete`."""
        self._store.delete(key)

    def pseudonym(self, text: str) -> str:
        """Name something, so that nobody who lacks the keys can guess what it is."""
        return self._cipher.pseudonym(text)

    def list(self, folder: str) -> list[Entry]:
        """As `Store.list`."""
        return self._store.list(folder)


def open_spool(
    place: str,
    keys: Sequence[SecretStr] = (),
    options: Mapping[str, Any] | None = None,
    *,
    accepts_any: bool = False,
) -> Spool:
    """Open a spool; nothing is read or written yet.

    Args:
        place: a directory, or a URL such as ``s3://bucket/mail`` or ``gs://bucket/mail``.
        keys: Fernet keys, the newest first; required where the spool is not a directory.
        options: for the store's fsspec file system.
        accepts_any: read files of other users and modes too, and those in clear where there are
            keys.

    Raises:
        InvalidField: the place or a key cannot be used.
    """
    cipher = Cipher(keys, takes_clear=accepts_any)
    found = _PROTOCOL.match(place)
    if found is None or place.startswith("file://"):
        path = Path(place.removeprefix("file://")).expanduser()
        return Spool(LocalStore(path, only_own=not accepts_any), cipher)
    _check_url(place, found[1])
    if not keys:
        raise InvalidField(
            f"is empty, and {place} is not a disk of this host",
            "Mail there is encrypted: make a key, the same for all hosts, with:"
            f" {HOW_TO_MAKE_A_KEY}",
            field="spool_key",
        )
    return Spool(RemoteStore(place, options or {}), cipher)


def _check_url(url: str, protocol: str) -> None:
    """Refuse a place of another kind, or credentials in one, which is shown in logs."""
    if "://" not in url:
        raise InvalidField(
            f"begins with {protocol}:, and is not a URL", "Write s3://bucket/folder.", field="spool"
        )
    if protocol not in EXTRAS:
        raise InvalidField(
            f"{protocol} is not a store that can create exclusively",
            "Use a directory, s3://bucket/folder or gs://bucket/folder.",
            field="spool",
        )
    if "@" in url or "?" in url:
        raise InvalidField(
            "the URL contains @ or ?",
            "Put credentials and options in spool_options.",
            field="spool",
        )
    if not url.partition("://")[2].strip("/"):
        raise InvalidField(f"{url} has no bucket", "Write s3://bucket/folder.", field="spool")
