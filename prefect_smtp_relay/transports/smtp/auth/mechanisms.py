"""What each mechanism says, exactly as chosen (RFC 4954, 4616, 2195, 7628, 7677)."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pydantic import SecretStr

from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.transports.smtp import form
from prefect_smtp_relay.transports.smtp.auth.scram import Scram, prepare
from prefect_smtp_relay.transports.smtp.config import Mechanism, SmtpConfig

Answer = Callable[[str], SecretStr]
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
_UNSENDABLE = re.compile(r"[\0\ud800-\udfff]")
"""NUL ends a field of PLAIN (RFC 4616, section 2); half of a surrogate pair is not a character."""


@dataclass(frozen=True)
class Exchange:
    """The client's side of one login.

    Args:
        initial: the initial response in base64 (RFC 4954, section 4); None where the server begins.
        answers: what answers each 334 reply, in their order.
        has_server_proven: asked at the end: whether the server knows the password, as far as the
            mechanism lets it prove that.
    """

    initial: SecretStr | None = None
    answers: tuple[Answer, ...] = ()
    has_server_proven: Callable[[], bool] = lambda: True


def begin(config: SmtpConfig, username: SecretStr, secret: SecretStr) -> list[Exchange]:
    """Prepare a login with the configured mechanism; both go out as they were typed.

    Args:
        config: whose mechanism, and whose host and port OAUTHBEARER names.
        username: of the account.
        secret: the password, or the access token.

    Returns:
        One exchange; a second to try where it is refused, if servers differ in how SCRAM's keys
        are made of this password: some prepare it, as RFC 5802 wants, others (Dovecot) do not.

    Raises:
        RelayConfigurationError: one of them contains what cannot be used.
    """
    _check(config, "username", username)
    if config.mechanism in WITH_TOKEN:
        return [_with_token(config, username, secret)]
    _check(config, "password", secret)
    if config.mechanism == "scram_sha_256":
        spellings = dict.fromkeys((secret, prepare(secret)))
        return [_scram(username, spelling) for spelling in spellings]
    if config.mechanism == "login":
        return [Exchange(None, (lambda _: _encode(username), lambda _: _encode(secret)))]
    if config.mechanism == "cram_md5":
        return [Exchange(None, (partial(_cram_md5, username, secret),))]
    return [Exchange(_encode("\0", username, "\0", secret))]


def _scram(username: SecretStr, password: SecretStr) -> Exchange:
    scram = Scram(username, password)
    answers = (scram.prove, scram.verify)
    return Exchange(scram.open(), answers, lambda: scram.has_server_proven)


def _with_token(config: SmtpConfig, username: SecretStr, token: SecretStr) -> Exchange:
    """Whatever follows the initial response is an error, which has to be acknowledged."""
    if not _TOKEN.fullmatch(token.get_secret_value()):
        raise RelayConfigurationError(
            "is not an access token: it contains a space, a control or a non-ASCII character",
            f"Set it to the token alone, or let {form.OAUTH_TOKEN_URL} get one.",
            field=f"{config.name} (AUTH): password",
        )
    if config.mechanism == "xoauth2":
        initial = _encode("user=", username, "\1auth=Bearer ", token, "\1\1")
        return Exchange(initial, (lambda _: SecretStr(""),))
    name = username.get_secret_value().replace("=", "=3D").replace(",", "=2C")  # RFC 5801, 4
    header = f"n,a={name},\1host={config.address}\1port={config.port}"
    initial = _encode(header, "\1auth=Bearer ", token, "\1\1")  # RFC 7628, section 3.1
    return Exchange(initial, (lambda _: _encode("\1"),))


def _cram_md5(username: SecretStr, password: SecretStr, challenge: str) -> SecretStr:
    """RFC 2195, section 2: the name, a space, the keyed digest of the challenge in hex."""
    asked = b64decode(challenge.strip(), validate=True)
    digest = hmac.new(password.get_secret_value().encode(), asked, "md5").hexdigest()
    return _encode(username, f" {digest}")


def _check(config: SmtpConfig, field: str, text: SecretStr) -> None:
    forbidden = "\1" if config.mechanism in WITH_TOKEN else "\0"  # what separates fields
    if forbidden in text.get_secret_value() or _UNSENDABLE.search(text.get_secret_value()):
        raise RelayConfigurationError(
            "contains a character that cannot be sent",
            f"Enter `{field}` again in the block, without it.",
            field=f"{config.name} (AUTH): {field}",
        )


def _encode(*parts: str | SecretStr) -> SecretStr:
    """Put a line together, in base64."""
    texts = (p if isinstance(p, str) else p.get_secret_value() for p in parts)
    return SecretStr(b64encode("".join(texts).encode()).decode("ascii"))
