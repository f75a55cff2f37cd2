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
        keys: Fernet keys, the newest first. An older one is needed while the outbox has mail that
            was stored with it.
        takes_clear: with keys, take what was stored in clear too.

    Raises:
        RelayConfigurationError: one of them is not a Fernet key.
    """

    def __init__(self, keys: Sequence[SecretStr] = (), *, takes_clear: bool = False) -> None:
        self._fernet = _multi_fernet(keys) if keys else None
        self._takes_clear = takes_clear or not keys

    def seal(self, chunks: Iterable[bytes]) -> Iterable[bytes]:
        """Encrypt chunks, which takes all of them into memory; without keys, pass them through."""
        if self._fernet is None:
            return chunks
        return (self._fernet.encrypt(b"".join(chunks)),)

    def unseal(self, data: bytes, file: str) -> bytes:
        """Decrypt a file.

        Args:
            data: of the file.
            file: its name, for the error.

        Raises:
            RelayConfigurationError: no key fits, or it is in clear where there are keys: whoever
                can write a file could have written it.
        """
        if not data.startswith(_TOKEN_START):
            if self._takes_clear:
                return data
            raise RelayConfigurationError(
                f"{file} is not encrypted",
                "If it was stored before the key was set, flush once with outbox_accepts=any.",
                field="outbox_key",
            )
        if self._fernet is None:
            raise RelayConfigurationError(
                f"{file} is encrypted",
                "Set outbox_key to the key it was stored with.",
                field="outbox_key",
            )
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(data)
        except InvalidToken as error:
            raise RelayConfigurationError(
                f"{file} cannot be decrypted with any key in it",
                "Add the key it was stored with to outbox_key, after the newest one.",
                field="outbox_key",
            ) from error


def _multi_fernet(keys: Sequence[SecretStr]) -> MultiFernet:
    # Imported where it is needed: an outbox without keys should not pay for it.
    from cryptography.fernet import Fernet, MultiFernet

    try:
        # As bytes: the error about a key that is not ASCII would show the key.
        return MultiFernet([Fernet(key.get_secret_value().encode()) for key in keys])
    except ValueError as error:
        raise RelayConfigurationError(
            "is not a Fernet key (32 bytes in URL-safe base64)",
            f"Make one with: {_HOW_TO_MAKE_A_KEY}",
            field="outbox_key",
        ) from error
