"""What each mechanism says, exactly as chosen (RFC 4954, 4616, 2195, 7628, 7677)."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.transports.smtp.auth.saslprep import saslprep
from prefect_smtp_relay.transports.smtp.auth.scram import Scram
from prefect_smtp_relay.transports.smtp.config import Mechanism, SmtpConfig

Answer = Callable[[str], str]
"""Takes the text of a 334 reply, gives the next line; both in base64."""

WIRE_NAMES: dict[Mechanism, str] = {
    "plain": "PLAIN",
    "login": "LOGIN",
    "cram_md5": "CRAM-MD5",
    "scram_sha_256": "SCRAM-SHA-256",
    "xoauth2": "XOAUTH2",
    "oauthbearer": "OAUTHBEARER",
}
"""How EHLO and AUTH spell the mechanisms."""

WITH_TOKEN: frozenset[Mechanism] = frozenset({"xoauth2", "oauthbearer"})
"""Mechanisms that take an OAuth access token in place of a password."""

REVEALING: frozenset[Mechanism] = frozenset({"plain", "login", *WITH_TOKEN})
"""Mechanisms that hand the secret itself to whoever reads along."""

_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Exchange:
    """The client's side of one login.

    Args:
        secret: the password or token as the mechanism uses it.
        initial: the initial response in base64 (RFC 4954, section 4); None where the server begins.
        answers: what answers each 334 reply, in their order.
        has_server_proven: asked at the end: whether the server knows the password, as far as the
            mechanism lets it prove that.
    """

    secret: str = field(repr=False)
    initial: str | None = field(default=None, repr=False)
    answers: tuple[Answer, ...] = ()
    has_server_proven: Callable[[], bool] = lambda: True


def begin(config: SmtpConfig, username: str, secret: str) -> Exchange:
    """Prepare a login with the configured mechanism.

    Args:
        config: whose mechanism, and whose host and port OAUTHBEARER names.
        username: of the account.
        secret: the password, or the access token.

    Raises:
        RelayConfigurationError: one of them holds what cannot be used; the text names the field.
    """
    mechanism = config.mechanism
    is_scram = mechanism == "scram_sha_256"
    username = _prepared(config, "username", username, is_stored=is_scram)
    if mechanism in WITH_TOKEN:
        return _with_token(config, username, secret)
    password = _prepared(config, "password", secret, is_stored=is_scram)
    if is_scram:
        scram = Scram(username, password)
        answers = (scram.prove, scram.verify)
        return Exchange(password, scram.open(), answers, lambda: scram.has_server_proven)
    if mechanism == "login":
        return Exchange(password, None, (lambda _: _encode(username), lambda _: _encode(password)))
    if mechanism == "cram_md5":
        answer = partial(_cram_md5, username, password)
        return Exchange(password, None, (answer,))
    return Exchange(password, _encode(f"\0{username}\0{password}"))


def _with_token(config: SmtpConfig, username: str, token: str) -> Exchange:
    """Whatever follows the initial response is an error, which has to be acknowledged."""
    if not _TOKEN.fullmatch(token):
        raise RelayConfigurationError(
            f"{config.name} (AUTH): password: is no access token: it holds a blank, a control or a"
            " non-ASCII character. Set it to the token alone, or let `oauth_token_url` get one."
        )
    if config.mechanism == "xoauth2":
        initial = f"user={username}\1auth=Bearer {token}\1\1"
        return Exchange(token, _encode(initial), (lambda _: "",))
    name = username.replace("=", "=3D").replace(",", "=2C")  # RFC 5801, section 4
    place = f"host={config.address}\1port={config.port}"
    initial = f"n,a={name},\1{place}\1auth=Bearer {token}\1\1"  # RFC 7628, section 3.1
    return Exchange(token, _encode(initial), (lambda _: _encode("\1"),))


def _cram_md5(username: str, password: str, challenge: str) -> str:
    """RFC 2195, section 2: the name, a blank, the keyed digest of the challenge in hex."""
    octets = b64decode(challenge.strip(), validate=True)
    digest = hmac.new(password.encode(), octets, "md5").hexdigest()
    return _encode(f"{username} {digest}")


def _prepared(config: SmtpConfig, field: str, text: str, *, is_stored: bool) -> str:
    try:
        return saslprep(text, is_stored=is_stored)
    except ValueError as error:
        raise RelayConfigurationError(
            f"{config.name} (AUTH): {field}: {error}. Enter `{field}` again in the block, without"
            " it."
        ) from None


def _encode(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
