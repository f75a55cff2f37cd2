"""What a check notes of a connection while the transport's own `connect` opens it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from prefect_smtp_relay.exceptions import CleartextRefused, DeliveryError, EmailError, TlsFailed
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.check_report import Finding, StepLog
from prefect_smtp_relay.transports.smtp import form
from prefect_smtp_relay.transports.smtp.auth.tokens import TokenStore
from prefect_smtp_relay.transports.smtp.check import confusions
from prefect_smtp_relay.transports.smtp.check.certificate import read_certificate
from prefect_smtp_relay.transports.smtp.check.recommendation import DIRECT_TLS, STARTTLS, Remedy
from prefect_smtp_relay.transports.smtp.config import Security, SmtpConfig
from prefect_smtp_relay.transports.smtp.connect.learned import Learned
from prefect_smtp_relay.transports.smtp.reply import printable
from prefect_smtp_relay.transports.smtp.session.ehlo import size_limit
from prefect_smtp_relay.transports.smtp.session.observer import Observer
from prefect_smtp_relay.transports.smtp.session.session import Session
from prefect_smtp_relay.transports.smtp.tls_hints import is_plain_text

_SOON_DAYS = 21


class Examiner(Observer):
    """Writes each step down, and explains what goes wrong.

    Args:
        config: how to reach the relay.
        log: takes the steps.
        remedies: takes what should be changed.
    """

    renews_tokens = False

    def __init__(self, config: SmtpConfig, log: StepLog, remedies: list[Remedy]) -> None:
        self._config = config
        self._log = log
        self._remedies = remedies
        self._session: Session | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[Finding]:
        """Write a step down; a failure is looked into before it goes on."""
        try:
            with self._log.step(name) as finding:
                yield finding
        except EmailError as error:
            self._explain(name, error)
            raise

    def recovered(self) -> None:
        """Make warnings of what went wrong at the addresses before."""
        self._log.forgive("Another address of the host took its place.")
        self._remedies.clear()

    def opened(self, session: Session) -> None:
        """Look at the certificate and at what the server offers."""
        self._session = session
        self._note_encryption(session)
        self._examine_certificate(session)
        self._note_extensions(session)
        if (oauth := self._config.oauth) is not None:
            with self.step("access token") as finding:
                process_memory.of(TokenStore).lend(oauth, self._config, is_new=True)
                finding.ok(f"granted by {oauth.host}")

    def leave(self, session: Session) -> None:
        """Say QUIT where somebody may hear it."""
        if session.is_open:
            with self._log.step("QUIT") as finding:
                try:
                    finding.ok(str(session.command("QUIT", "QUIT")))
                except EmailError:
                    finding.warn("the server closed the connection without a reply")
            session.close()

    def _explain(self, name: str, error: EmailError) -> None:
        if name == "connect" and isinstance(error, DeliveryError):
            self._note(confusions.no_connection(self._config, error))
        elif isinstance(error, TlsFailed):
            self._explain_tls(error)
        elif name == "login" and self._session is not None:
            self._explain_login(self._session, error)

    def _explain_tls(self, error: TlsFailed) -> None:
        cause = error.__cause__
        if error.stage == "greeting" and cause is None:
            self._note(
                Remedy(
                    "This is an SMTPS server, which waits for TLS from the first byte, and the"
                    f" block waits for a greeting in plain text: switch {form.SSL} on and"
                    f" {form.ENABLE_STARTTLS} off.",
                    DIRECT_TLS,
                )
            )
        elif isinstance(cause, ssl.SSLCertVerificationError):
            self._show_untrusted(cause)
        elif isinstance(cause, ssl.SSLError) and is_plain_text(cause) and error.stage == "TLS":
            self._note(confusions.ssl_on_a_starttls_port(self._config))
        elif cause is None and error.code is None:
            self._note(confusions.no_tls(self._config))

    def _show_untrusted(self, error: ssl.SSLCertVerificationError) -> None:
        with self._log.step("certificate") as finding:
            certificate = confusions.unchecked_certificate(self._config)
            finding.fail(certificate.describe(_now()) if certificate else "it cannot be read")
        self._note(confusions.untrusted_issuer(certificate, error))
        self._note(confusions.other_name(self._config, certificate, error))

    def _explain_login(self, session: Session, error: EmailError) -> None:
        if isinstance(error, DeliveryError) and error.code is None:
            self._note(confusions.other_mechanism(self._config, session))
        elif isinstance(error, CleartextRefused) and "STARTTLS" in session.extensions:
            self._note(
                Remedy(f"The server offers STARTTLS: switch {form.ENABLE_STARTTLS} on.", STARTTLS)
            )

    def _note_encryption(self, session: Session) -> None:
        config = self._config
        words = ""
        if session.tls is None and "STARTTLS" in session.extensions:
            words = f"Mail crosses the network in clear, and need not ({form.ENABLE_STARTTLS} on)."
        elif session.tls is None or config.security is Security.STARTTLS:
            return
        elif config.security is Security.STARTTLS_IF_OFFERED:
            words = (
                "STARTTLS works: require it, so that nobody can strip it"
                f" ({form.ENABLE_STARTTLS} on)."
            )
        elif config.endpoint in process_memory.of(Learned).starttls:
            words = (
                f"This server takes STARTTLS: with {form.SSL} off and {form.ENABLE_STARTTLS} on,"
                " no process has to find that out by a first try."
            )
        if words:
            self._note(Remedy(words, STARTTLS, is_optional=True))

    def _examine_certificate(self, session: Session) -> None:
        """Say what the certificate contains, and whether `ssl_verify_mode` peer takes it."""
        with self._log.step("certificate") as finding:
            if session.tls is None:
                finding.skip("no TLS")
                return
            certificate = read_certificate(session.tls)
            text = certificate.describe(_now()) if certificate else "it cannot be read"
            problem = "" if self._config.verify_peer else confusions.why_peer_fails(self._config)
            if problem:
                finding.warn(f"{text}. {form.SSL_VERIFY_MODE} peer would not pass: {problem}")
            elif certificate and certificate.days_left(_now()) < _SOON_DAYS:
                finding.warn(f"{text}. It expires soon: have it renewed.")
            else:
                finding.ok(f"{text}; passes {form.SSL_VERIFY_MODE} peer")
        if not problem and not self._config.verify_peer:
            words = (
                f"The certificate passes: set {form.SSL_VERIFY_MODE} to peer, so that the password"
                " goes to no other server."
            )
            self._note(Remedy(words, {"ssl_verify_mode": "peer"}, is_optional=True))

    def _note_extensions(self, session: Session) -> None:
        """Say how large a message may be, whether commands may be pipelined, and who may log in."""
        with self._log.step("SIZE") as finding:
            limit = size_limit(session.extensions)
            finding.ok(f"up to {limit:,} bytes" if limit else "no limit announced")
        with self._log.step("PIPELINING") as finding:
            finding.ok("offered" if session.pipelines else "not offered")
        with self._log.step("AUTH mechanisms") as finding:
            finding.ok(printable(", ".join(session.mechanisms)) or "none offered")

    def _note(self, remedy: Remedy | None) -> None:
        if remedy is not None:
            self._remedies.append(remedy)


def _now() -> datetime:
    return datetime.now(UTC)
