"""Encryption at rest: Fernet, with several keys for rotation."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import SecretStr

from prefect_smtp_relay.exceptions import InvalidField, RelayConfigurationError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_TOKEN_START = b"gAAAAA"
"""How every Fernet token begins (version 0x80, a time before 2106): no JSON, no message does."""

HOW_TO_MAKE_A_KEY = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)


class Cipher:
    """Encrypts with the first key and decrypts with every key; without keys, nothing changes.

    Args:
        keys: Fernet keys, the newest first. An older one is needed while the spool has what was
            stored with it.
        takes_clear: with keys, take what was stored in clear too.

    Raises:
        InvalidField: one of them is not a Fernet key.
    """

    def __init__(self, keys: Sequence[SecretStr] = (), *, takes_clear: bool = False) -> None:
        self._fernet = _multi_fernet(keys) if keys else None
        self._takes_clear = takes_clear or not keys
        self._secret = keys[0].get_secret_value().encode() if keys else b""

    def seal(self, data: bytes) -> bytes:
        """Encrypt bytes; without keys, they stay as they are."""
        return data if self._fernet is None else self._fernet.encrypt(data)

    def pseudonym(self, text: str) -> str:
        """Name a text; with the same first key it has the same name."""
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()[:32]

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
                "If it was stored before the key was set, flush once with spool_accepts=any.",
                field="spool_key",
            )
        if self._fernet is None:
            raise RelayConfigurationError(
                f"{file} is encrypted",
                "Set spool_key to the key it was stored with.",
                field="spool_key",
            )
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(data)
        except InvalidToken as error:
            raise RelayConfigurationError(
                f"{file} cannot be decrypted with any key in it",
                "Add the key it was stored with to spool_key, after the newest one.",
                field="spool_key",
            ) from error


def _multi_fernet(keys: Sequence[SecretStr]) -> MultiFernet:
    # Imported where it is needed: a spool without keys should not pay for it.
    from cryptography.fernet import Fernet, MultiFernet

    try:
        # As bytes: the error about a key that is not ASCII would show the key.
        return MultiFernet([Fernet(key.get_secret_value().encode()) for key in keys])
    except ValueError as error:
        raise InvalidField(
            "is not a Fernet key (32 bytes in URL-safe base64)",
            f"Make one with: {HOW_TO_MAKE_A_KEY}",
            field="spool_key",
        ) from error
