"""Logs a session in: by a password, or by an access token (RFC 4954)."""

from __future__ import annotations

import contextlib
import json
from base64 import b64decode
from collections.abc import Iterator

from pydantic import SecretStr

from prefect_smtp_relay.exceptions import AuthenticationFailed, CleartextRefused
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.redaction import Redactor
from prefect_smtp_relay.transports.smtp import form
from prefect_smtp_relay.transports.smtp.auth.mechanisms import (
    REVEALING,
    WIRE_NAMES,
    WITH_TOKEN,
    Exchange,
    begin,
)
from prefect_smtp_relay.transports.smtp.auth.scram import ScramFailed
from prefect_smtp_relay.transports.smtp.auth.tokens import TokenStore
from prefect_smtp_relay.transports.smtp.config import Credentials
from prefect_smtp_relay.transports.smtp.errors import refused
from prefect_smtp_relay.transports.smtp.refusals import advise_token
from prefect_smtp_relay.transports.smtp.reply import Reply, printable
from prefect_smtp_relay.transports.smtp.session.session import Session

_MAX_COMMAND_BYTES = 12288
"""Of AUTH with its initial response (RFC 4954, section 4), its line end among them."""

_IMPOSTOR = f"It may be an impostor: check {form.ADDRESS}, and set {form.SSL_VERIFY_MODE} to peer."


class KeptTokenRefused(Exception):
    """The server does not take a token that was kept; a new one may do, on another connection."""


def authenticate(session: Session, credentials: Credentials, *, may_renew: bool = False) -> None:
    """Log in with the configured mechanism.

    Args:
        session: greeted, and encrypted as wanted.
        credentials: whose.
        may_renew: tell a refusal of a kept token apart.

    Raises:
        CleartextRefused: the password or token would cross the network in clear.
        AuthenticationFailed: the server lacks the mechanism, or refuses the credentials.
        KeptTokenRefused: only with ``may_renew``; the token is forgotten.
        EmailError: no access token is to be had, or the connection broke.
    """
    config = session.config
    _check_cleartext(session)
    _check_offered(session, WIRE_NAMES[config.mechanism])
    lent = process_memory.of(TokenStore).lend(config.oauth, config) if config.oauth else None
    secret = lent.text if lent else credentials.password
    session.hide([secret.get_secret_value()])
    for exchange in begin(config, credentials.username, secret):
        reply, challenge = _converse(session, exchange)
        if reply.is_positive:
            _check_proof(session, exchange)
            return
        if reply.is_transient:
            break
    error = refused(config.name, "AUTH", reply)
    if isinstance(error, AuthenticationFailed) and config.mechanism in WITH_TOKEN:
        if config.oauth and lent and lent.was_kept:
            process_memory.of(TokenStore).forget(config.oauth, lent.text)
            if may_renew:
                raise KeptTokenRefused from error
        raise _token_refused(session, reply, _read_refusal(challenge, secret))
    raise error


def _converse(session: Session, exchange: Exchange) -> tuple[Reply, str]:
    """Say what the mechanism says; return the last reply, and the text of the 334 before it."""
    answers = list(exchange.answers)
    line = SecretStr(f"AUTH {WIRE_NAMES[session.config.mechanism]}")
    if (initial := exchange.initial) is not None:
        session.hide(lines=[initial.get_secret_value()])
        if len(line) + len(initial) + len(" \r\n") <= _MAX_COMMAND_BYTES:
            line = SecretStr(f"{line.get_secret_value()} {initial.get_secret_value()}")
        else:
            answers.insert(0, lambda _: initial)
    reply, challenge = session.command("AUTH", line), ""
    for answer in answers:
        if reply.code != 334:
            break
        challenge = reply.lines[0]
        with _understanding(session):
            line = answer(challenge)
        session.hide(lines=[line.get_secret_value()])
        reply = session.command("AUTH", line)
    return reply, challenge


def _check_cleartext(session: Session) -> None:
    mechanism, config = session.config.mechanism, session.config
    if session.is_encrypted or mechanism not in REVEALING:
        return
    if config.allow_cleartext_auth or session.is_on_loopback:
        return
    with_token = mechanism in WITH_TOKEN
    what = "access token" if with_token else "password"
    other = "" if with_token else f", or set {form.AUTHENTICATION} to scram_sha_256 or cram_md5"
    raise CleartextRefused(
        f"{config.name} (AUTH): the connection is not encrypted, and {mechanism} would show the"
        f" {what} to the network",
        f"Switch {form.SSL} or {form.ENABLE_STARTTLS} on{other}; {form.ALLOW_CLEARTEXT_AUTH}"
        " permits it all the same.",
    )


def _check_offered(session: Session, mechanism: str) -> None:
    offered = session.mechanisms
    if mechanism in offered:
        return
    if known := [name for name in offered if name in WIRE_NAMES.values()]:
        detail = (
            f"the server does not offer {mechanism}, but {', '.join(known)}. Set"
            f" {form.AUTHENTICATION} in the block to one of these."
        )
    elif offered:
        detail = (
            f"the server offers only {', '.join(offered)}, which no block can be set to. Ask its"
            f" administrator for PLAIN or LOGIN, or for a port that needs no {form.CREDENTIALS}."
        )
    else:
        detail = (
            f"the server offers no authentication. Switch {form.SSL} or {form.ENABLE_STARTTLS} on"
            f" if it does so only under TLS, or clear {form.CREDENTIALS}."
        )
    raise AuthenticationFailed(session.config.name, detail, stage="AUTH")


def _check_proof(session: Session, exchange: Exchange) -> None:
    if not exchange.has_server_proven():
        detail = f"the server did not prove that it knows the password. {_IMPOSTOR}"
        raise AuthenticationFailed(session.config.name, detail, stage="AUTH")


@contextlib.contextmanager
def _understanding(session: Session) -> Iterator[None]:
    try:
        yield
    except ScramFailed as error:
        detail = f"the login was broken off: {error}. Check {form.CREDENTIALS}. {_IMPOSTOR}"
        raise AuthenticationFailed(session.config.name, detail, stage="AUTH") from None
    except ValueError as error:
        detail = (
            f"the server's challenge is not base64: set {form.AUTHENTICATION} to plain or login."
        )
        raise AuthenticationFailed(session.config.name, detail, stage="AUTH") from error


def _token_refused(session: Session, reply: Reply, told: str) -> AuthenticationFailed:
    config = session.config
    reason = f"{reply} ({told})" if told else str(reply)
    advice = advise_token(reply, is_fetched=config.oauth is not None)
    detail = f"the server answered {reason}. {advice}"
    return AuthenticationFailed(config.name, detail, reply.code, reply.enhanced_code, "AUTH")


def _read_refusal(challenge: str, token: SecretStr) -> str:
    """Read the JSON in a refusal's 334 (RFC 7628, section 3.2.2): ``status 401, scope mail``."""
    try:
        document = json.loads(b64decode(challenge.strip(), validate=True))
    except (ValueError, RecursionError):
        return ""
    fields = document.items() if isinstance(document, dict) else ()
    words = (f"{name} {value}" for name, value in fields if isinstance(value, (str, int)))
    return printable(Redactor([token.get_secret_value()])(", ".join(words)))
