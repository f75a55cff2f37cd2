"""The first half of a check: from DNS to an encrypted session and its certificate."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

from prefect_smtp_relay.exceptions import DeliveryError, TlsFailed
from prefect_smtp_relay.transports.check_report import StepLog
from prefect_smtp_relay.transports.smtp.check import confusions
from prefect_smtp_relay.transports.smtp.check.certificate import read_certificate
from prefect_smtp_relay.transports.smtp.check.recommendation import STARTTLS, Remedy
from prefect_smtp_relay.transports.smtp.config import Security, SmtpConfig
from prefect_smtp_relay.transports.smtp.connect.connection import (
    SPEAKS_PLAIN_TEXT,
    AnsweredInPlainText,
    handshake,
    upgrade,
    wants_starttls,
)
from prefect_smtp_relay.transports.smtp.connect.network import open_socket, resolve
from prefect_smtp_relay.transports.smtp.connect.tls import describe
from prefect_smtp_relay.transports.smtp.errors import translating
from prefect_smtp_relay.transports.smtp.reply import printable
from prefect_smtp_relay.transports.smtp.session.session import Session

_DIRECT = {Security.DIRECT, Security.DIRECT_OR_STARTTLS}
_PATIENCE_SECONDS = 3.0
_SOON_DAYS = 21


class Opening:
    """Opens a session as the transport does, and explains what goes wrong.

    Args:
        config: how to reach the relay.
        log: takes the steps.
        remedies: takes what should be changed.
    """

    def __init__(self, config: SmtpConfig, log: StepLog, remedies: list[Remedy]) -> None:
        self._config = config
        self._log = log
        self._remedies = remedies
        self._kind = Security.DIRECT if config.security in _DIRECT else Security.STARTTLS

    def open(self) -> Session:
        """Take the steps up to TLS.

        Raises:
            EmailError: of the step that failed.
        """
        with self._log.step("DNS") as finding:
            finding.ok(", ".join(resolve(self._config)))
        sock = self._connect()
        with _closing_on_error(sock):
            tls = self._direct_tls(sock) if self._kind is Security.DIRECT else None
        if tls is None and self._config.security is Security.DIRECT_OR_STARTTLS:
            self._kind = Security.STARTTLS
            sock = self._connect()
        session = Session(tls or sock, self._config)
        with _closing_on_error(session):
            self._greet(session, sock)
            if tls is None:
                self._start_tls(session)
        return session

    def examine_certificate(self, session: Session) -> None:
        """Say what the certificate holds, and whether `ssl_verify_mode` peer takes it."""
        with self._log.step("certificate") as finding:
            if session.tls is None:
                finding.skip("no TLS")
                return
            certificate = read_certificate(session.tls)
            text = certificate.describe(_now()) if certificate else "it cannot be read"
            problem = self._why_peer_fails()
            if problem:
                finding.warn(f"{text}. `ssl_verify_mode` peer would not pass: {problem}")
            elif certificate and certificate.days_left(_now()) < _SOON_DAYS:
                finding.warn(f"{text}. It expires soon: have it renewed.")
            else:
                finding.ok(f"{text}; passes `ssl_verify_mode` peer")

    def _why_peer_fails(self) -> str:
        if self._config.verify_peer:
            return ""
        problem = confusions.why_peer_fails(self._config, self._kind)
        if not problem:
            words = (
                "The certificate passes: set `ssl_verify_mode` to peer, so that the password goes"
                " to no other server."
            )
            self._remedies.append(Remedy(words, {"ssl_verify_mode": "peer"}))
        return problem

    def _connect(self) -> socket.socket:
        try:
            with self._log.step("connect") as finding:
                sock = open_socket(self._config)
                finding.ok(f"{sock.getpeername()[0]} port {self._config.port}")
                return sock
        except DeliveryError as error:
            self._note(confusions.no_connection(self._config, error))
            raise

    def _direct_tls(self, plain: socket.socket) -> ssl.SSLSocket | None:
        """Return None where the server answers in plain text, and STARTTLS may follow."""
        with self._explaining(), self._log.step("TLS") as finding:
            try:
                with translating(self._config.name, "TLS"):
                    tls = handshake(plain, self._config)
            except AnsweredInPlainText as error:
                plain.close()
                if self._config.security is Security.DIRECT:
                    raise TlsFailed(self._config.name, SPEAKS_PLAIN_TEXT, stage="TLS") from error
                finding.name = "direct TLS"
                finding.skip("the server answered in plain text: STARTTLS follows")
                return None
            finding.ok(f"direct: {describe(tls)}")
            return tls

    def _greet(self, session: Session, sock: socket.socket) -> None:
        with self._log.step("greeting") as finding:
            if not session.is_encrypted and self._is_silent(sock):
                self._try_direct_tls()
            finding.ok(str(session.read_greeting()))
        with self._log.step("EHLO") as finding:
            session.hello()
            finding.ok(printable(", ".join(session.extensions)) or "no extensions")

    def _is_silent(self, sock: socket.socket) -> bool:
        sock.settimeout(min(_PATIENCE_SECONDS, self._config.timeout_seconds / 2))
        try:
            sock.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        except OSError:
            return False  # reading the greeting will tell what is wrong
        return False

    def _try_direct_tls(self) -> None:
        if (remedy := confusions.starttls_on_an_ssl_port(self._config)) is not None:
            self._remedies.append(remedy)
            detail = (
                "the server says nothing: it waits for TLS from the first byte. Switch `ssl` on."
            )
            raise TlsFailed(self._config.name, detail, stage="greeting")

    def _start_tls(self, session: Session) -> None:
        with self._explaining(), self._log.step("TLS") as finding:
            if wants_starttls(self._config, session):
                if "STARTTLS" not in session.extensions:
                    self._note(confusions.no_tls(self._config))
                upgrade(self._config, session)
                finding.ok(f"STARTTLS: {describe(session.tls)}")
                self._skip_the_first_try()
                self._require_starttls("STARTTLS works: require it, so that nobody can strip it")
            elif "STARTTLS" in session.extensions:
                finding.warn("none, although the server offers STARTTLS")
                self._require_starttls("Mail crosses the network in clear, and need not")
            else:
                finding.warn("none: the server offers no STARTTLS, so mail goes in clear")

    def _skip_the_first_try(self) -> None:
        if self._config.security is Security.DIRECT_OR_STARTTLS:
            words = (
                "This server takes STARTTLS: with `ssl` off and `enable_starttls` on, no process"
                " has to find that out by a first try."
            )
            self._remedies.append(Remedy(words, STARTTLS))

    def _require_starttls(self, why: str) -> None:
        if self._config.security in {Security.STARTTLS_IF_OFFERED, Security.PLAIN_TEXT}:
            self._remedies.append(Remedy(f"{why} (`enable_starttls` on).", STARTTLS))

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        """Look again at what stood against TLS."""
        try:
            yield
        except TlsFailed as error:
            if isinstance(error.__cause__, AnsweredInPlainText):
                self._note(confusions.ssl_on_a_starttls_port(self._config))
            elif isinstance(error.__cause__, ssl.SSLCertVerificationError):
                self._show_untrusted(error.__cause__)
            raise

    def _show_untrusted(self, error: ssl.SSLCertVerificationError) -> None:
        with self._log.step("certificate") as finding:
            certificate = confusions.unchecked_certificate(self._config, self._kind)
            finding.fail(certificate.describe(_now()) if certificate else "it cannot be read")
        self._note(confusions.untrusted_issuer(certificate, error))
        self._note(confusions.other_name(self._config, certificate, error))

    def _note(self, remedy: Remedy | None) -> None:
        if remedy is not None:
            self._remedies.append(remedy)


@contextlib.contextmanager
def _closing_on_error(closable: socket.socket | Session) -> Iterator[None]:
    try:
        yield
    except BaseException:
        closable.close()
        raise


def _now() -> datetime:
    return datetime.now(UTC)
