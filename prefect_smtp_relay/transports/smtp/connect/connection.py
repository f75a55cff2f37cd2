"""From a configuration to a session that is encrypted as wanted and logged in."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading

from prefect_smtp_relay.exceptions import ConnectionFailed, EmailError, TlsFailed
from prefect_smtp_relay.transports.base import logger
from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.smtp.auth.login import KeptTokenRefused, authenticate
from prefect_smtp_relay.transports.smtp.auth.mechanisms import REVEALING
from prefect_smtp_relay.transports.smtp.config import Security, SmtpConfig
from prefect_smtp_relay.transports.smtp.connect.network import open_socket
from prefect_smtp_relay.transports.smtp.connect.tls import describe, tls_client
from prefect_smtp_relay.transports.smtp.errors import translating
from prefect_smtp_relay.transports.smtp.session.session import Session

_NO_TLS_RECORD = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"})
"""What the versions of OpenSSL call an answer that is not TLS, such as a greeting."""

_STAGES_OF_TLS = frozenset({"TLS", "STARTTLS"})

SPEAKS_PLAIN_TEXT = (
    "the server answered the TLS handshake in plain text, so it does not take TLS from the first"
    " byte. Switch `enable_starttls_auto` on, or `ssl` off and `enable_starttls` on."
)

_speaks: dict[tuple[str, int], Security] = {}
"""What worked for a host and port where either kind of TLS would do, while the process lives."""

_warned: set[SmtpConfig] = set()
_lock = threading.Lock()


class AnsweredInPlainText(Exception):
    """The server does not expect TLS from the first byte."""


def connect(config: SmtpConfig, deadline: Deadline | None = None) -> Session:
    """Open a session: connect, encrypt as `Security` wants, authenticate.

    An access token that was kept, and that the server refuses, is renewed once.

    Args:
        config: how to reach the relay.
        deadline: of the delivery that the session is opened for.

    Raises:
        EmailError: translated, with the stage and what to change.
    """
    deadline = deadline or Deadline()
    with contextlib.suppress(KeptTokenRefused):
        return _logged_in(config, deadline, may_renew=True)
    return _logged_in(config, deadline, may_renew=False)


def _logged_in(config: SmtpConfig, deadline: Deadline, *, may_renew: bool) -> Session:
    session = _encrypted_session(config, deadline)
    try:
        if config.credentials is not None:
            _warn_unverified(config, session)
            authenticate(session, config.credentials, may_renew=may_renew)
    except (EmailError, KeptTokenRefused):
        if session.is_open:
            session.quit()
        raise
    except BaseException:
        session.close()
        raise
    return session


def _encrypted_session(config: SmtpConfig, deadline: Deadline) -> Session:
    try:
        session = _open(config, deadline)
    except (TlsFailed, ConnectionFailed) as error:
        # A server may stumble over a TLS session that it does not know any more.
        client = tls_client(config.verify_peer, config.ca_certificate)
        if error.stage not in _STAGES_OF_TLS or not client.forget(config.place):
            raise
        session = _open(config, deadline)
    if session.tls is not None:
        tls_client(config.verify_peer, config.ca_certificate).remember(session.tls, config.place)
    logger.debug("%s: %s", config.name, describe(session.tls))
    return session


def _open(config: SmtpConfig, deadline: Deadline) -> Session:
    if config.security is Security.DIRECT_OR_STARTTLS:
        return _direct_or_starttls(config, deadline)
    if config.security is Security.DIRECT:
        try:
            return _direct_tls(config, deadline)
        except AnsweredInPlainText as error:
            raise TlsFailed(config.name, SPEAKS_PLAIN_TEXT, stage="TLS") from error
    return _upgraded(config, deadline)


def _direct_or_starttls(config: SmtpConfig, deadline: Deadline) -> Session:
    place = config.place
    if _speaks.get(place) is Security.STARTTLS:
        try:
            return _upgraded(config, deadline)
        except EmailError:
            _speaks.pop(place, None)
            raise
    try:
        return _direct_tls(config, deadline)
    except AnsweredInPlainText:
        session = _upgraded(config, deadline)
    if place not in _speaks:
        logger.info(
            "%s speaks STARTTLS, not direct TLS: switch `ssl` off and `enable_starttls` on in the"
            " block to skip the first try.",
            config.name,
        )
    _speaks[place] = Security.STARTTLS
    return session


def _direct_tls(config: SmtpConfig, deadline: Deadline) -> Session:
    plain = open_socket(config, deadline)
    try:
        with translating(config.name, "TLS"):
            plain.settimeout(deadline.left(config.timeout_seconds))
            encrypted = handshake(plain, config)
    except BaseException:
        plain.close()
        raise
    return _greeted(encrypted, config, deadline)


def handshake(plain: socket.socket, config: SmtpConfig) -> ssl.SSLSocket:
    """Start TLS on a new connection.

    Args:
        plain: connected; its timeout bounds the handshake.
        config: how to reach the relay.

    Raises:
        AnsweredInPlainText: the server greeted instead.
        OSError: the handshake failed.
    """
    client = tls_client(config.verify_peer, config.ca_certificate)
    try:
        return client.encrypt(plain, config.place)
    except ssl.SSLError as error:
        if error.reason in _NO_TLS_RECORD:
            raise AnsweredInPlainText from error
        raise


def _upgraded(config: SmtpConfig, deadline: Deadline) -> Session:
    session = _greeted(open_socket(config, deadline), config, deadline)
    try:
        if wants_starttls(config, session):
            upgrade(config, session)
    except BaseException:
        session.close()
        raise
    return session


def upgrade(config: SmtpConfig, session: Session) -> None:
    """Encrypt a session by STARTTLS."""
    client = tls_client(config.verify_peer, config.ca_certificate)
    session.start_tls(lambda plain: client.encrypt(plain, config.place))


def wants_starttls(config: SmtpConfig, session: Session) -> bool:
    """Whether an unencrypted session has to be upgraded before anything else."""
    if config.security is Security.STARTTLS_IF_OFFERED:
        return "STARTTLS" in session.extensions
    return config.security is not Security.PLAIN_TEXT


def _greeted(sock: socket.socket, config: SmtpConfig, deadline: Deadline) -> Session:
    session = Session(sock, config, deadline)
    try:
        session.greet()
    except BaseException:
        session.close()
        raise
    return session


def _warn_unverified(config: SmtpConfig, session: Session) -> None:
    """Say once a process and block that the password goes to whoever answered."""
    if not session.is_encrypted or config.verify_peer or config.mechanism not in REVEALING:
        return
    with _lock:
        if config in _warned:
            return
        _warned.add(config)
    logger.warning(
        "The password goes to %s over TLS whose certificate is not checked: set `ssl_verify_mode`"
        " to peer in the block, with the CA's PEM in `ca_certificate` if it is your own.",
        config.name,
    )
