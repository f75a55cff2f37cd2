"""The MAIL command, and what a server must offer for it (RFC 5321, 1870, 6531)."""

from __future__ import annotations

from prefect_smtp_relay.exceptions import MessageTooLarge, UnsupportedFeature
from prefect_smtp_relay.mail.receipt import Refusal
from prefect_smtp_relay.transports.smtp.delivery.submission import Submission
from prefect_smtp_relay.transports.smtp.session.ehlo import size_limit
from prefect_smtp_relay.transports.smtp.session.session import Session

_NO_SMTPUTF8 = (
    "does not offer SMTPUTF8, which an address with other than ASCII characters before the @ needs"
)


def smtputf8_parameters(session: Session) -> str:
    """The parameters of MAIL for an address with other than ASCII (RFC 6531, section 3.4).

    Raises:
        UnsupportedFeature: the server does not offer them.
    """
    if not _offers_smtputf8(session):
        raise UnsupportedFeature(
            f"{session.config.name} {_NO_SMTPUTF8}",
            "Use the recipient's ASCII address.",
            field="to",
        )
    return " BODY=8BITMIME SMTPUTF8"


def mail_command(session: Session, submission: Submission) -> str:
    """Write MAIL, with the parameters that the server offers and the message needs.

    Args:
        session: greeted.
        submission: what is submitted.

    Raises:
        MessageTooLarge, UnsupportedFeature: the server takes no such message.
    """
    if submission.needs_smtputf8 and not _offers_smtputf8(session):
        refusal = Refusal(code=553, enhanced_code="5.6.7", text=f"the relay {_NO_SMTPUTF8}")
        submission.refuse_smtputf8(refusal)
    command = f"MAIL FROM:<{submission.envelope.reverse_path.address}>"
    if "SIZE" in session.extensions:
        _check_size(session, submission.mime.size)
        command += f" SIZE={submission.mime.size}"
    if submission.needs_smtputf8:
        command += smtputf8_parameters(session)
    return command


def _offers_smtputf8(session: Session) -> bool:
    return {"SMTPUTF8", "8BITMIME"} <= session.extensions.keys()


def _check_size(session: Session, size: int) -> None:
    limit = size_limit(session.extensions)
    if 0 < limit < size:
        raise MessageTooLarge(
            f"the message has {size:,} bytes, {session.config.name} takes {limit:,}",
            "Attach less, or link to the files.",
            field="attachments",
        )
