"""The SendGrid transport."""

from __future__ import annotations

from collections.abc import Callable

from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.sendgrid.config import SendGridConfig
from prefect_smtp_relay.transports.waiting import wait_for


class SendGridTransport:
    """Submits messages to SendGrid's v3 API.

    Args:
        config: the account. Transports of one ``api_url`` share their kept connections.
        wait: sleeps so many seconds, where SendGrid asks for that.
    """

    def __init__(self, config: SendGridConfig, wait: Callable[[float], None] = wait_for) -> None:
        self._config = config
        self._wait = wait

    @property
    def name(self) -> str:
        """Loggable, without a secret: ``sendgrid://api.sendgrid.com``."""
        return self._config.name

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Submit one message, once; a second time only where SendGrid first asks for a short wait.

        Returns:
            The receipt; ``provider_id`` is SendGrid's X-Message-Id. SendGrid takes all
            recipients or none, but for those whom it cannot name.

        Raises:
            EmailError: and nothing else; `MessageError` before any I/O.
        """
        # SendGrid's library costs 90 ms to import: only who uses it pays.
        from prefect_smtp_relay.transports.sendgrid.client import submit
        from prefect_smtp_relay.transports.sendgrid.errors import refusal
        from prefect_smtp_relay.transports.sendgrid.limits import refuse_recipients
        from prefect_smtp_relay.transports.sendgrid.payload import encode_payload, render_payload

        config = self._config
        envelope, refused = refuse_recipients(envelope)
        payload = render_payload(
            message, envelope, categories=config.categories, sandbox_mode=config.sandbox_mode
        )
        body = encode_payload(payload)
        answer = submit(config, body, self._wait)
        # SendGrid's page "Errors": 200 accepts in sandbox mode only.
        if answer.status != 202 and not (answer.status == 200 and config.sandbox_mode):
            raise refusal(answer, config, size=len(body))
        return Receipt.for_message(
            message,
            transport=self.name,
            outcome="accepted",
            accepted=[mailbox.address for mailbox in envelope.forward_paths],
            refused=refused,
            response=answer.status_line + " (sandbox mode)" * config.sandbox_mode,
            provider_id=answer.provider_id,
            size=len(body),
        )
