"""From a host's name to a session that is greeted, and encrypted as wanted."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator

from prefect_smtp_relay.exceptions import (
    DeliveryError,
    RelayConfigurationError,
    TlsFailed,
    TransientFailure,
)
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.base import logger
from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.resolver import Address, connect_to_first, look_up
from prefect_smtp_relay.transports.smtp import form
from prefect_smtp_relay.transports.smtp.config import Security, SmtpConfig
from prefect_smtp_relay.transports.smtp.connect.learned import Learned
from prefect_smtp_relay.transports.smtp.connect.silence import greeting_seconds
from prefect_smtp_relay.transports.smtp.connect.tls import describe, tls_client
from prefect_smtp_relay.transports.smtp.errors import translating
from prefect_smtp_relay.transports.smtp.reply import printable
from prefect_smtp_relay.transports.smtp.session.observer import Observer
from prefect_smtp_relay.transports.smtp.session.session import Session
from prefect_smtp_relay.transports.smtp.tls_hints import is_plain_text

_OPTIONAL = frozenset({Security.STARTTLS_IF_OFFERED, Security.PLAIN_TEXT})

_SPEAKS_PLAIN_TEXT = (
    "the server answered the TLS handshake in plain text, so it does not take TLS from the first"
    f" byte. Switch {form.ENABLE_STARTTLS_AUTO} on, or {form.SSL} off and {form.ENABLE_STARTTLS}"
    " on."
)


class _AnsweredInPlainText(Exception):
    """The server does not expect TLS from the first byte."""


def open_session(config: SmtpConfig, deadline: Deadline, observer: Observer) -> Session:
    """Open a session at the first address of the host that serves (RFC 5321, section 5.1).

    Args:
        config: how to reach the relay.
        deadline: of the delivery that the session is opened for.
        observer: sees each step.

    Raises:
        EmailError: none of the addresses does; that of the first one that answered.
    """
    return _Opening(config, deadline, observer).open()


class _Opening:
    """One attempt at a session; it learns of the server on its way."""

    def __init__(self, config: SmtpConfig, deadline: Deadline, observer: Observer) -> None:
        self._config = config
        self._deadline = deadline
        self._observer = observer
        self._learned = process_memory.of(Learned)

    def open(self) -> Session:
        """Try the addresses in their order, what worked before first, and what closes last."""
        learned, endpoint = self._learned.addresses, self._config.endpoint
        closing = self._learned.closing.get(endpoint)
        untried = self._look_up()
        untried.sort(key=lambda each: (each == closing, each != learned.get(endpoint)))
        has_others = len(untried) > 1
        failures: list[DeliveryError] = []
        for _ in tuple(untried):
            try:
                sock, address = self._connect(untried)
                session = self._begin(sock, address)
            except (TransientFailure, TlsFailed) as error:
                failures.append(error)
                if not untried:
                    break
                continue
            learned[endpoint] = address
            session.address = address if has_others else None
            if failures:
                self._observer.recovered()
            return session
        # A server that answered has more to tell than one that could not be reached.
        raise next((error for error in failures if error.stage != "connect"), failures[-1])

    def _look_up(self) -> list[Address]:
        config = self._config
        with self._observer.step("DNS") as step, _naming_the_host(config):
            bound = Deadline(self._deadline.left(config.timeout_seconds))
            addresses = look_up(config.address, config.port, bound)
            step.ok(", ".join(dict.fromkeys(str(name[0]) for _, name in addresses)))
            return addresses

    def _connect(self, untried: list[Address]) -> tuple[socket.socket, Address]:
        with self._observer.step("connect") as step, translating(self._config.name, "connect"):
            bound = Deadline(self._deadline.left(self._config.timeout_seconds))
            sock, address = connect_to_first(untried, bound)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            step.ok(f"{address[1][0]} port {self._config.port}")
            return sock, address

    def _begin(self, sock: socket.socket, address: Address) -> Session:
        """Do all up to TLS; the socket is closed where that fails."""
        if self._config.security is Security.DIRECT_OR_STARTTLS:
            return self._direct_or_upgraded(sock, address)
        if self._config.security is Security.DIRECT:
            return self._greeted(self._direct_tls(sock))
        return self._upgraded(sock, address)

    def _direct_or_upgraded(self, sock: socket.socket, address: Address) -> Session:
        """Begin with what worked last; a server may have changed since."""
        endpoint, starttls = self._config.endpoint, self._learned.starttls
        if endpoint in starttls:
            starttls.discard(endpoint)
            try:
                session = self._upgraded(sock, address)
            except TlsFailed as error:
                if error.stage != "greeting" or error.__cause__ is not None:
                    raise
            else:
                starttls.add(endpoint)
                return session
            sock = self._connect([address])[0]
        with contextlib.suppress(_AnsweredInPlainText):
            return self._greeted(self._direct_tls(sock))
        session = self._upgraded(self._connect([address])[0], address)
        logger.info(
            f"%s speaks STARTTLS, not direct TLS: switch {form.SSL} off and {form.ENABLE_STARTTLS}"
            " on in the block to skip the first try.",
            self._config.name,
        )
        starttls.add(endpoint)
        return session

    def _direct_tls(self, plain: socket.socket) -> ssl.SSLSocket:
        config = self._config
        with (
            _closing_on_error(plain),
            self._observer.step("TLS") as step,
            translating(config.name, "TLS"),
        ):
            plain.settimeout(self._deadline.left(config.timeout_seconds))
            try:
                tls = tls_client(config).encrypt(plain, config)
            except ssl.SSLError as error:
                if not is_plain_text(error):
                    raise
                if config.security is Security.DIRECT_OR_STARTTLS:
                    step.name = "direct TLS"
                    step.skip("the server answered in plain text: STARTTLS follows")
                    raise _AnsweredInPlainText from error
                raise TlsFailed(config.name, _SPEAKS_PLAIN_TEXT, stage="TLS") from error
            step.ok(f"direct: {describe(tls)}")
            return tls

    def _upgraded(self, plain: socket.socket, address: Address) -> Session:
        session = self._greeted(plain, address)
        with _closing_on_error(session):
            self._start_tls(session)
        return session

    def _greeted(self, sock: socket.socket, address: Address | None = None) -> Session:
        session = Session(sock, self._config, self._deadline)
        with _closing_on_error(session):
            with self._observer.step("greeting") as step:
                seconds = greeting_seconds(sock, self._config, address) if address else None
                step.ok(str(session.read_greeting(seconds)))
            with self._observer.step("EHLO") as step:
                session.hello()
                step.ok(printable(", ".join(session.extensions)) or "no extensions")
        return session

    def _start_tls(self, session: Session) -> None:
        config = self._config
        is_offered = "STARTTLS" in session.extensions
        if is_offered:
            self._learned.offered_starttls.add(config.endpoint)
        elif (
            config.security is Security.STARTTLS_IF_OFFERED
            and config.endpoint in self._learned.offered_starttls
        ):
            logger.warning(
                "%s no longer offers STARTTLS, which it offered before: somebody on the way may"
                " have removed the offer. Switch *Force STARTTLS* (`enable_starttls`) on, so that"
                " no mail and no password goes in clear.",
                config.name,
            )
        with self._observer.step("TLS") as step:
            if config.security is Security.PLAIN_TEXT and is_offered:
                step.warn("none, although the server offers STARTTLS")
            elif config.security in _OPTIONAL and not is_offered:
                step.warn("none: the server offers no STARTTLS, so mail goes in clear")
            else:
                session.start_tls(lambda plain: tls_client(config).encrypt(plain, config))
                step.ok(f"STARTTLS: {describe(session.tls)}")


@contextlib.contextmanager
def _closing_on_error(closable: socket.socket | Session) -> Iterator[None]:
    try:
        yield
    except BaseException:
        closable.close()
        raise


@contextlib.contextmanager
def _naming_the_host(config: SmtpConfig) -> Iterator[None]:
    with translating(config.name, "connect"):
        try:
            yield
        except UnicodeError as error:
            raise RelayConfigurationError(
                f"{config.name}: is not a host name ({error})",
                f"Set {form.ADDRESS} to a domain name or an IP address.",
                field="address",
            ) from error
