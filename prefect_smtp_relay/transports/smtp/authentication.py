"""PLAIN, LOGIN and CRAM-MD5, each exactly as chosen (RFC 4954, 4616, 2195)."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable

from prefect_smtp_relay.transports.smtp.config import Credentials, Mechanism

Answer = Callable[[str], str]
"""Takes the text of a 334 reply, gives the next line; both in base64."""

WIRE_NAMES: dict[Mechanism, str] = {"plain": "PLAIN", "login": "LOGIN", "cram_md5": "CRAM-MD5"}
"""How EHLO and AUTH spell the mechanisms."""

REVEALING: frozenset[Mechanism] = frozenset({"plain", "login"})
"""Mechanisms that hand the password itself to whoever reads along."""


def opening(mechanism: Mechanism, credentials: Credentials) -> str:
    """Return the AUTH command, with PLAIN's initial response (RFC 4954, section 4)."""
    if mechanism != "plain":
        return f"AUTH {WIRE_NAMES[mechanism]}"
    username, password = _reveal(credentials)
    return "AUTH PLAIN " + _encode(f"\0{username}\0{password}".encode())


def answers(mechanism: Mechanism, credentials: Credentials) -> list[Answer]:
    """Return what answers each 334 reply, in their order."""
    username, password = _reveal(credentials)
    if mechanism == "login":
        return [lambda _: _encode(username.encode()), lambda _: _encode(password.encode())]
    if mechanism == "cram_md5":
        return [lambda challenge: _encode(_cram_md5(username, password, challenge))]
    return []


def _cram_md5(username: str, password: str, challenge: str) -> bytes:
    """RFC 2195, section 2: the name, a blank, the keyed digest of the challenge in hex."""
    octets = b64decode(challenge.strip(), validate=True)
    digest = hmac.new(password.encode(), octets, "md5").hexdigest()
    return f"{username} {digest}".encode()


def _reveal(credentials: Credentials) -> tuple[str, str]:
    return credentials.username.get_secret_value(), credentials.password.get_secret_value()


def _encode(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
