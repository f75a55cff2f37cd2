"""The second half of a check: what the session offers, the login, and an envelope on trial."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    CleartextRefused,
    DeliveryError,
    EmailError,
)
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.transports.check_report import StepLog
from prefect_smtp_relay.transports.smtp.auth.login import authenticate
from prefect_smtp_relay.transports.smtp.auth.mechanisms import WIRE_NAMES
from prefect_smtp_relay.transports.smtp.auth.tokens import TOKENS
from prefect_smtp_relay.transports.smtp.check.confusions import other_mechanism
from prefect_smtp_relay.transports.smtp.check.recommendation import STARTTLS, Remedy
from prefect_smtp_relay.transports.smtp.delivery.mail_command import smtputf8_parameters
from prefect_smtp_relay.transports.smtp.errors import refused
from prefect_smtp_relay.transports.smtp.reply import printable
from prefect_smtp_relay.transports.smtp.session.session import Session


class Conversation:
    """Steps within a session; a context manager that ends it with QUIT where that is possible.

    Args:
        session: greeted, and encrypted as wanted.
        log: takes the steps.
        remedies: takes what should be changed.
    """

    def __init__(self, session: Session, log: StepLog, remedies: list[Remedy]) -> None:
        self._session = session
        self._log = log
        self._remedies = remedies

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None or _leaves_a_session(error):
            self._quit()
        self._session.close()

    def note_extensions(self) -> None:
        """Say how large a message may be, and whether commands may be pipelined."""
        extensions = self._session.extensions
        with self._log.step("SIZE") as finding:
            limit = extensions.get("SIZE", "").strip()
            is_limited = limit.isdigit() and int(limit) > 0
            finding.ok(f"up to {int(limit):,} octets" if is_limited else "no limit announced")
        with self._log.step("PIPELINING") as finding:
            finding.ok("offered" if "PIPELINING" in extensions else "not offered")

    def log_in(self) -> None:
        """Authenticate as the configuration says.

        Raises:
            EmailError: the server or our own rules refuse it.
        """
        session, credentials = self._session, self._session.config.credentials
        with self._log.step("AUTH mechanisms") as finding:
            finding.ok(printable(", ".join(session.mechanisms)) or "none offered")
        try:
            self._get_token()
            with self._log.step("login") as finding:
                if credentials is None:
                    finding.skip("the block has no username")
                    return
                authenticate(session, credentials)
                finding.ok(f"accepted, with {WIRE_NAMES[session.config.mechanism]}")
        except (AuthenticationFailed, CleartextRefused) as error:
            self._explain_login(error)
            raise

    def _get_token(self) -> None:
        """Ask the token endpoint, also where a token is kept; no step where there is none."""
        config = self._session.config
        if config.oauth is not None:
            with self._log.step("access token") as finding:
                TOKENS.lend(config.oauth, config, is_new=True)
                finding.ok(f"granted by {config.oauth.host}")

    def offer_mail(self, sender: Mailbox | None, recipient: Mailbox | None) -> None:
        """Ask whether this envelope would be taken, and take it back (RSET).

        Raises:
            EmailError: it would not.
        """
        with self._log.step("MAIL") as finding:
            if sender is None:
                finding.skip("no sender is known: name one to try it")
                return
            needs_smtputf8 = sender.needs_smtputf8 or bool(recipient and recipient.needs_smtputf8)
            options = smtputf8_parameters(self._session) if needs_smtputf8 else ""
            command = f"MAIL FROM:<{sender.address}>{options}"
            finding.ok(f"{sender.address}: {self._session.demand('MAIL', command)}")
        self._offer_recipient(recipient or sender, is_named=recipient is not None)
        self._session.command("RSET", "RSET")

    def _offer_recipient(self, mailbox: Mailbox, *, is_named: bool) -> None:
        with self._log.step("RCPT") as finding:
            reply = self._session.command("RCPT", f"RCPT TO:<{mailbox.address}>")
            text = f"{mailbox.address}: {reply}"
            if reply.is_positive:
                finding.ok(text)
            elif is_named:
                raise refused(self._session.config.name, "RCPT", reply)
            else:
                finding.warn(f"{text}. That is the sender itself; name a recipient to try another.")

    def _explain_login(self, error: EmailError) -> None:
        session = self._session
        if isinstance(error, DeliveryError) and error.code is None:
            remedy = other_mechanism(session.config, session)
        elif isinstance(error, CleartextRefused) and "STARTTLS" in session.extensions:
            remedy = Remedy("The server offers STARTTLS: switch `enable_starttls` on.", STARTTLS)
        else:
            return
        if remedy is not None:
            self._remedies.append(remedy)

    def _quit(self) -> None:
        with self._log.step("QUIT") as finding:
            try:
                finding.ok(str(self._session.command("QUIT", "QUIT")))
            except EmailError:
                finding.warn("the server closed the connection without a reply")


def _leaves_a_session(error: BaseException) -> bool:
    """Whether the server answered, or was not even asked, so that it can hear QUIT."""
    if isinstance(error, AuthenticationFailed):
        return True
    return isinstance(error, EmailError) and getattr(error, "code", 0) is not None
