"""From a configuration to a session that is encrypted as wanted and logged in."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

from prefect_smtp_relay.exceptions import EmailError, RelayConfigurationError, TlsFailed
from prefect_smtp_relay.transports.base import logger
from prefect_smtp_relay.transports.smtp.authentication import REVEALING
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.errors import translating
from prefect_smtp_relay.transports.smtp.login import KeptTokenRefused, authenticate
from prefect_smtp_relay.transports.smtp.security import Security, tls_context
from prefect_smtp_relay.transports.smtp.session import Session

_NO_TLS_RECORD = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"})
"""What the versions of OpenSSL call an answer that is not TLS, such as a greeting."""

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


def connect(config: SmtpConfig) -> Session:
    """Open a session: connect, encrypt as `Security` wants, authenticate.

    An access token that was kept, and that the server refuses, is renewed once.

    Args:
        config: how to reach the relay.

    Raises:
        EmailError: translated, with the stage and what to change.
    """
    with contextlib.suppress(KeptTokenRefused):
        return _logged_in(config, may_renew=True)
    return _logged_in(config, may_renew=False)


def _logged_in(config: SmtpConfig, *, may_renew: bool) -> Session:
    session = _encrypted_session(config)
    try:
        if config.credentials is not None:
            _warn_unverified(config, session)
            authenticate(session, config.credentials, may_renew=may_renew)
    except BaseException:
        session.close()
        raise
    return session


def _encrypted_session(config: SmtpConfig) -> Session:
    if config.security is Security.DIRECT_OR_STARTTLS:
        return _direct_or_starttls(config)
    if config.security is Security.DIRECT:
        try:
            return _direct_tls(config)
        except AnsweredInPlainText as error:
            raise TlsFailed(config.name, SPEAKS_PLAIN_TEXT, stage="TLS") from error
    return _upgraded(config)


def _direct_or_starttls(config: SmtpConfig) -> Session:
    place = (config.address, config.port)
    if _speaks.get(place) is Security.STARTTLS:
        try:
            return _upgraded(config)
        except EmailError:
            _speaks.pop(place, None)
            raise
    try:
        return _direct_tls(config)
    except AnsweredInPlainText:
        session = _upgraded(config)
    if place not in _speaks:
        logger.info(
            "%s speaks STARTTLS, not direct TLS: switch `ssl` off and `enable_starttls` on in the"
            " block to skip the first try.",
            config.name,
        )
    _speaks[place] = Security.STARTTLS
    return session


def _direct_tls(config: SmtpConfig) -> Session:
    plain = open_socket(config)
    try:
        with translating(config.name, "TLS"):
            encrypted = handshake(plain, config)
    except BaseException:
        plain.close()
        raise
    return _greeted(encrypted, config)


def handshake(plain: socket.socket, config: SmtpConfig) -> ssl.SSLSocket:
    """Start TLS on a new connection.

    Raises:
        AnsweredInPlainText: the server greeted instead.
        OSError: the handshake failed.
    """
    context = tls_context(config.verify_peer, config.ca_certificate)
    try:
        return context.wrap_socket(plain, server_hostname=config.address)
    except ssl.SSLError as error:
        if error.reason in _NO_TLS_RECORD:
            raise AnsweredInPlainText from error
        raise


def _upgraded(config: SmtpConfig) -> Session:
    session = _greeted(open_socket(config), config)
    try:
        if wants_starttls(config, session):
            session.start_tls()
    except BaseException:
        session.close()
        raise
    return session


def wants_starttls(config: SmtpConfig, session: Session) -> bool:
    """Whether an unencrypted session has to be upgraded before anything else."""
    if config.security is Security.STARTTLS_IF_OFFERED:
        return "STARTTLS" in session.extensions
    return config.security is not Security.PLAIN_TEXT


def _greeted(sock: socket.socket, config: SmtpConfig) -> Session:
    session = Session(sock, config)
    try:
        session.greet()
    except BaseException:
        session.close()
        raise
    return session


def resolve(config: SmtpConfig) -> list[str]:
    """Ask DNS for the addresses of the relay."""
    with _naming_the_host(config):
        found = socket.getaddrinfo(config.address, config.port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def open_socket(config: SmtpConfig) -> socket.socket:
    """Connect, without a word yet."""
    place = (config.address, config.port)
    with _naming_the_host(config):
        sock = socket.create_connection(place, timeout=config.timeout_seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock


@contextlib.contextmanager
def _naming_the_host(config: SmtpConfig) -> Iterator[None]:
    with translating(config.name, "connect"):
        try:
            yield
        except UnicodeError as error:
            raise RelayConfigurationError(
                f"{config.name}: not a host name ({error}). Set `address` to a domain name or an"
                " IP address."
            ) from error


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
