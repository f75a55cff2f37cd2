"""The last part of a check: an envelope on trial."""

from __future__ import annotations

from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.transports.check_report import StepLog
from prefect_smtp_relay.transports.smtp.delivery.mail_command import smtputf8_parameters
from prefect_smtp_relay.transports.smtp.errors import refused
from prefect_smtp_relay.transports.smtp.session.session import Session


def offer_mail(
    session: Session, log: StepLog, sender: Mailbox | None, recipient: Mailbox | None
) -> None:
    """Ask whether this envelope would be taken, and take it back (RSET).

    Args:
        session: logged in.
        log: takes the steps.
        sender, recipient: as for `check_smtp`.

    Raises:
        EmailError: it would not.
    """
    with log.step("MAIL") as finding:
        if sender is None:
            finding.skip("no sender is known: name one to try it")
            return
        needs_smtputf8 = sender.needs_smtputf8 or bool(recipient and recipient.needs_smtputf8)
        options = smtputf8_parameters(session) if needs_smtputf8 else ""
        command = f"MAIL FROM:<{sender.address}>{options}"
        finding.ok(f"{sender.address}: {session.demand('MAIL', command)}")
    _offer_recipient(session, log, recipient or sender, is_named=recipient is not None)
    session.command("RSET", "RSET")


def _offer_recipient(session: Session, log: StepLog, mailbox: Mailbox, *, is_named: bool) -> None:
    with log.step("RCPT") as finding:
        reply = session.command("RCPT", f"RCPT TO:<{mailbox.address}>")
        text = f"{mailbox.address}: {reply}"
        if reply.is_positive:
            finding.ok(text)
        elif is_named:
            raise refused(session.config.name, "RCPT", reply)
        else:
            finding.warn(f"{text}. That is the sender itself; name a recipient to try another.")
