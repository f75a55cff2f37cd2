"""Checks a relay step by step, as the transport would use it, without submitting a message."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.transports.check_report import Report, StepLog
from prefect_smtp_relay.transports.smtp.check.envelope import offer_mail
from prefect_smtp_relay.transports.smtp.check.examiner import Examiner
from prefect_smtp_relay.transports.smtp.check.recommendation import Remedy, recommend
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.connect.connection import connect
from prefect_smtp_relay.transports.smtp.connect.tls import tls_client

STEPS = (
    *("DNS", "connect", "greeting", "EHLO", "TLS", "certificate", "SIZE", "PIPELINING"),
    *("AUTH mechanisms", "login", "MAIL", "RCPT", "QUIT"),
)
"""In the order of STARTTLS; with direct TLS, that step comes after connect."""


_NOTHING: Mapping[str, str] = MappingProxyType({})


def check_smtp(
    config: SmtpConfig,
    sender: Mailbox | None = None,
    recipient: Mailbox | None = None,
    *,
    written: Mapping[str, str] = _NOTHING,
) -> Report:
    """Take every step of a submission but the message itself.

    Args:
        config: how to reach the relay.
        sender: for MAIL; without one, MAIL and RCPT are skipped.
        recipient: for RCPT; without one, the sender is asked for, and a refusal only warns.
        written: see `recommend`.

    Returns:
        The steps, and what should be set otherwise: where a step failed, only what may help there.
        A failed step is not an exception here.
    """
    log, remedies = StepLog(STEPS), list[Remedy]()
    examiner = Examiner(config, log, remedies)
    with contextlib.suppress(EmailError):
        for each in (config, replace(config, verify_peer=True)):
            tls_client(each).forget(each)  # a resumed session shows no certificate
        session = connect(config, observer=examiner)
        try:
            offer_mail(session, log, sender, recipient)
        finally:
            examiner.leave(session)
    report = Report(transport=config.name, steps=log.finish())
    wanted = [each for each in remedies if report.has_passed or not each.is_optional]
    return report.model_copy(update={"recommendation": recommend(config, wanted, written)})
