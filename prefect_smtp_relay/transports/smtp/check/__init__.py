"""Checks a relay step by step, as the transport would use it, without submitting a message."""

from __future__ import annotations

import contextlib

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.transports.check_report import Report, StepLog
from prefect_smtp_relay.transports.smtp.check.conversation import Conversation
from prefect_smtp_relay.transports.smtp.check.opening import Opening
from prefect_smtp_relay.transports.smtp.check.recommendation import Remedy, recommend
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.connect.tls import forget_sessions

STEPS = (
    *("DNS", "connect", "greeting", "EHLO", "TLS", "certificate", "SIZE", "PIPELINING"),
    *("AUTH mechanisms", "login", "MAIL", "RCPT", "QUIT"),
)
"""In the order of STARTTLS; with direct TLS, that step comes behind connect."""


def check_smtp(
    config: SmtpConfig, sender: Mailbox | None = None, recipient: Mailbox | None = None
) -> Report:
    """Take every step of a submission but the message itself.

    Args:
        config: how to reach the relay.
        sender: for MAIL; without one, MAIL and RCPT are skipped.
        recipient: for RCPT; without one, the sender is asked for, and a refusal only warns.

    Returns:
        The steps, and what should be set otherwise. A failed step is no exception here.
    """
    log, remedies = StepLog(STEPS), list[Remedy]()
    forget_sessions(config.place)  # a resumed one shows no certificate
    with contextlib.suppress(EmailError):
        opening = Opening(config, log, remedies)
        session = opening.open()
        with Conversation(session, log, remedies) as conversation:
            opening.examine_certificate(session)
            conversation.note_extensions()
            conversation.log_in()
            conversation.offer_mail(sender, recipient)
    return Report(
        transport=config.name, steps=log.finish(), recommendation=recommend(config, remedies)
    )
