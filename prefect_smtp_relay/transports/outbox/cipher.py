"""Encryption at rest: Fernet, with several keys for rotation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pydantic import SecretStr

from prefect_smtp_relay.exceptions import RelayConfigurationError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_TOKEN_START = b"gAAAAA"
"""How every Fernet token begins (version 0x80, a time before 2106): no JSON, no message does."""

_HOW_TO_MAKE_A_KEY = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)


class Cipher:
    """Encrypts with the first key and decrypts with every key; without keys, nothing changes.

    Args:
        keys: Fernet keys, the newest first. An older one is needed until the outbox holds
            nothing that was stored with it.

    Raises:
        RelayConfigurationError: one of them is no Fernet key.
    """

    def __init__(self, keys: Sequence[SecretStr] = ()) -> None:
        self._fernet = _multi_fernet(keys) if keys else None

    def seal(self, octets: Iterable[bytes]) -> Iterable[bytes]:
        """Encrypt octets, which takes all of them into memory; without keys, pass them through."""
        if self._fernet is None:
            return octets
        return (self._fernet.encrypt(b"".join(octets)),)

    def unseal(self, octets: bytes, file: str) -> bytes:
        """Decrypt a file; what was stored in clear is returned as it is.

        Args:
            octets: what the file holds.
            file: its name, for the error.

        Raises:
            RelayConfigurationError: no key fits.
        """
        if not octets.startswith(_TOKEN_START):
            return octets
        if self._fernet is None:
            raise RelayConfigurationError(
                f"outbox_key: {file} is encrypted. Set outbox_key to the key it was stored with."
            )
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(octets)
        except InvalidToken as error:
            raise RelayConfigurationError(
                f"outbox_key: {file} cannot be decrypted with any key in it. Add the key it was"
                " stored with to outbox_key, behind the newest one."
            ) from error


def _multi_fernet(keys: Sequence[SecretStr]) -> MultiFernet:
    # Imported where it is needed: an outbox without keys should not pay for it.
    from cryptography.fernet import Fernet, MultiFernet

    try:
        # As octets: the error about a key that is not ASCII would hold the key.
        return MultiFernet([Fernet(key.get_secret_value().encode()) for key in keys])
    except ValueError as error:
        raise RelayConfigurationError(
            "outbox_key: not a Fernet key (32 octets in URL-safe base64). Make one with:"
            f" {_HOW_TO_MAKE_A_KEY}"
        ) from error
