"""SCRAM-SHA-256 (RFC 5802, 7677): nobody shows the password, and both sides prove to know it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import stringprep
from base64 import b64decode, b64encode
from unicodedata import ucd_3_2_0

from pydantic import SecretStr

from prefect_smtp_relay.transports.smtp.reply import printable

_SERVER_FIRST = re.compile(r"r=([^,]+),s=([^,]+),i=([0-9]{1,9})(?:,.*)?", re.DOTALL)
_MIN_ITERATIONS = 4096
"""RFC 7677, section 4: fewer would make the proof easy to try passwords on."""
_MAX_ITERATIONS = 2_000_000
"""About a second of computing: a server must not choose for how long."""


class ScramFailed(Exception):
    """The server's part of the exchange is not right."""


class Scram:
    """The client's side of one exchange.

    Args:
        username, password: as they are to be used.
    """

    def __init__(self, username: SecretStr, password: SecretStr) -> None:
        name = username.get_secret_value().replace("=", "=3D").replace(",", "=2C")
        self._password = password
        self._nonce = secrets.token_urlsafe(24)
        self._first = f"n={name},r={self._nonce}"
        self._server_signature = b""
        self.has_server_proven = False

    def open(self) -> SecretStr:
        """Return the initial response."""
        return _encode(f"n,,{self._first}")

    def prove(self, challenge: str) -> SecretStr:
        """Answer the server's salt and nonce.

        Raises:
            ValueError: the challenge is not base64.
            ScramFailed: it breaks the protocol.
        """
        server_first = _decode(challenge)
        nonce, salt, iterations = self._read(server_first)
        salted = hashlib.pbkdf2_hmac(
            "sha256", self._password.get_secret_value().encode(), salt, iterations
        )
        final = f"c=biws,r={nonce}"  # biws: base64 of "n,,", as in `open`
        message = f"{self._first},{server_first},{final}"
        self._server_signature = _sign(_sign(salted, "Server Key"), message)
        key = _sign(salted, "Client Key")
        signature = _sign(hashlib.sha256(key).digest(), message)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        return _encode(f"{final},p={b64encode(proof).decode('ascii')}")

    def verify(self, challenge: str) -> SecretStr:
        """Check the server's signature, which only who knows the password can make.

        Raises:
            ValueError: the challenge is not base64.
            ScramFailed: it is another signature, or the server's error.
        """
        expected = f"v={b64encode(self._server_signature).decode('ascii')}"
        found = _decode(challenge).partition(",")[0]
        _check_error(found)
        if not hmac.compare_digest(found.encode(), expected.encode()):
            raise ScramFailed("the server's signature is wrong")
        self.has_server_proven = True
        return SecretStr("")

    def _read(self, server_first: str) -> tuple[str, bytes, int]:
        _check_error(server_first)
        found = _SERVER_FIRST.fullmatch(server_first)
        if found is None:
            raise ScramFailed("the server's first message is not one of SCRAM")
        nonce, salt, iterations = found[1], found[2], int(found[3])
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise ScramFailed("the server's nonce does not continue this one's")
        if not _MIN_ITERATIONS <= iterations <= _MAX_ITERATIONS:
            raise ScramFailed(f"the server wants {iterations} iterations")
        return nonce, b64decode(salt, validate=True), iterations


def prepare(password: SecretStr) -> SecretStr:
    """Spell a password as RFC 5802, section 2.2, wants both sides to (SASLprep, RFC 4013)."""
    seen = (c for c in password.get_secret_value() if not stringprep.in_table_b1(c))
    mapped = (" " if stringprep.in_table_c12(c) else c for c in seen)
    return SecretStr(ucd_3_2_0.normalize("NFKC", "".join(mapped)))


def _check_error(message: str) -> None:
    if message.startswith("e="):
        raise ScramFailed(f"the server's error is {printable(message.removeprefix('e='))}")


def _sign(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _encode(message: str) -> SecretStr:
    return SecretStr(b64encode(message.encode()).decode("ascii"))


def _decode(challenge: str) -> str:
    return b64decode(challenge.strip(), validate=True).decode()
