"""From a configuration to a session that is encrypted as wanted and logged in."""

from __future__ import annotations

import contextlib

from prefect_smtp_relay.exceptions import ConnectionFailed, EmailError, TlsFailed
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.base import logger
from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.smtp import form
from prefect_smtp_relay.transports.smtp.auth.login import KeptTokenRefused, authenticate
from prefect_smtp_relay.transports.smtp.auth.mechanisms import REVEALING, WIRE_NAMES
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.connect.learned import Learned
from prefect_smtp_relay.transports.smtp.connect.opening import open_session
from prefect_smtp_relay.transports.smtp.connect.tls import describe, tls_client
from prefect_smtp_relay.transports.smtp.session.observer import Observer
from prefect_smtp_relay.transports.smtp.session.session import Session

_STAGES_OF_TLS = frozenset({"TLS", "STARTTLS"})


class _Transport(Observer):
    """Warns where a password goes to whoever answered."""

    def opened(self, session: Session) -> None:
        """Say so once a process and block."""
        config = session.config
        if config.credentials is None or not session.is_encrypted or config.verify_peer:
            return
        if config.mechanism in REVEALING and process_memory.of(Learned).is_first_warning(config):
            logger.warning(
                "The password goes to %s over TLS whose certificate is not checked: set"
                f" {form.SSL_VERIFY_MODE} to peer in the block, with the CA's PEM in"
                f" {form.CA_CERTIFICATE} if it is your own.",
                config.name,
            )


_TRANSPORT = _Transport()


def connect(
    config: SmtpConfig, deadline: Deadline | None = None, observer: Observer = _TRANSPORT
) -> Session:
    """Open a session: connect, encrypt as `Security` wants, authenticate.

    An access token that was kept, and that the server refuses, is renewed once.

    Args:
        config: how to reach the relay.
        deadline: of the delivery that the session is opened for.
        observer: sees each step.

    Raises:
        EmailError: translated, with the stage and what to change.
    """
    deadline = deadline or Deadline()
    if observer.renews_tokens:
        with contextlib.suppress(KeptTokenRefused):
            return _logged_in(config, deadline, observer, may_renew=True)
    return _logged_in(config, deadline, observer, may_renew=False)


def _logged_in(
    config: SmtpConfig, deadline: Deadline, observer: Observer, *, may_renew: bool
) -> Session:
    session = _opened(config, deadline, observer)
    try:
        observer.opened(session)
        with observer.step("login") as step:
            if config.credentials is None:
                step.skip("the block has no username")
                return session
            authenticate(session, config.credentials, may_renew=may_renew)
            step.ok(f"accepted, with {WIRE_NAMES[config.mechanism]}")
    except (EmailError, KeptTokenRefused):
        if session.is_open:
            observer.leave(session)
        raise
    except BaseException:
        session.close()
        raise
    return session


def _opened(config: SmtpConfig, deadline: Deadline, observer: Observer) -> Session:
    resumes = tls_client(config).has_session(config)
    try:
        session = open_session(config, deadline, observer)
    except (TlsFailed, ConnectionFailed) as error:
        # A server may stumble over a TLS session that it does not know any more.
        if error.stage not in _STAGES_OF_TLS or not resumes:
            raise
        tls_client(config).forget(config)
        session = open_session(config, deadline, observer)
    if session.tls is not None:
        tls_client(config).remember(session.tls, config)
    logger.debug("%s: %s", config.name, describe(session.tls))
    return session
