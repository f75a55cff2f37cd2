"""SCRAM-SHA-256 (RFC 5802, 7677): nobody shows the password, and both sides prove to know it."""

from __future__ import annotations

from base64 import b64decode, b64encode

from prefect_smtp_relay.transports.smtp.reply import printable


class ScramFailed(Exception):
    """The server's part of the exchange does not hold."""


class Scram:
    """The client's side of one exchange.

    Args:
        username, password: prepared by SASLprep.
    """

    def __init__(self, username: str, password: str) -> None:
        # It loads a library of certificates, in 60 ms: only who uses it pays.
        from scramp import ScramClient, ScramException

        self._client = ScramClient(["SCRAM-SHA-256"], username, password)
        self._foreign = ScramException
        self.has_server_proven = False

    def open(self) -> str:
        """Return the initial response."""
        return _encode(self._client.get_client_first())

    def prove(self, challenge: str) -> str:
        """Answer the server's salt and nonce.

        Raises:
            ValueError: the challenge is not base64.
            ScramFailed: it breaks the protocol.
        """
        message = _decode(challenge)
        try:
            self._client.set_server_first(message)
            return _encode(self._client.get_client_final())
        except self._foreign as error:
            raise ScramFailed(printable(str(error))) from None

    def verify(self, challenge: str) -> str:
        """Check the server's signature, which only who knows the password can make.

        Raises:
            ValueError: the challenge is not base64.
            ScramFailed: it is another signature, or the server's error.
        """
        message = _decode(challenge)
        try:
            self._client.set_server_final(message)
        except self._foreign as error:
            raise ScramFailed(printable(str(error))) from None
        self.has_server_proven = True
        return ""


def _encode(message: str) -> str:
    return b64encode(message.encode()).decode("ascii")


def _decode(challenge: str) -> str:
    return b64decode(challenge.strip(), validate=True).decode()
