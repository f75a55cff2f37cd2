"""The SMTP transport."""

from __future__ import annotations

from prefect_smtp_relay.exceptions import RecipientsRefused
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.connection import connect
from prefect_smtp_relay.transports.smtp.transaction import transact


class SmtpTransport:
    """Submits each message in a session of its own.

    Args:
        config: how to reach the relay.
    """

    def __init__(self, config: SmtpConfig) -> None:
        self._config = config

    @property
    def name(self) -> str:
        """``smtp://host:port``."""
        return self._config.name

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Submit one message.

        Raises:
            EmailError: with the stage, the server's words and what to change.
        """
        session = connect(self._config)
        try:
            done = transact(session, message, envelope)
        except RecipientsRefused:
            session.quit()
            raise
        except BaseException:
            session.close()
            raise
        session.quit()
        return Receipt.for_message(
            message,
            transport=self.name,
            outcome="accepted",
            accepted=done.accepted,
            refused=done.refused,
            response=str(done.final_reply),
            size=done.mime.size,
        )
