"""One mail transaction: MAIL, RCPT for each, DATA, the message, the final reply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from prefect_smtp_relay.exceptions import MessageTooLarge, RecipientsRefused, UnsupportedFeature
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime import MimeText, render_mime
from prefect_smtp_relay.mail.receipt import Refusal
from prefect_smtp_relay.transports.smtp.errors import FINAL_REPLY, refused
from prefect_smtp_relay.transports.smtp.reply import Reply
from prefect_smtp_relay.transports.smtp.session import Session


@dataclass
class Transaction:
    """What became of one message in a session."""

    mime: MimeText
    accepted: list[str] = field(default_factory=list)
    refused: dict[str, Refusal] = field(default_factory=dict)
    final_reply: Reply = field(default=Reply(0, ()))


def transact(session: Session, message: Message, envelope: Envelope) -> Transaction:
    """Submit a message; after it returns, the server is responsible for it.

    Args:
        session: greeted, encrypted and logged in.
        message, envelope: what, and to whom.

    Raises:
        RecipientsRefused: nobody was accepted.
        DeliveryError: the server refused the rest, or the connection broke.
        MessageTooLarge, UnsupportedFeature: before anything was submitted.
    """
    transaction = Transaction(render_mime(message))
    visible = {mailbox.address for mailbox in message.visible_recipients}
    session.hide(m.address for m in envelope.forward_paths if m.address not in visible)
    mail = _mail_command(session, message, envelope, transaction.mime.size)
    session.demand("MAIL", mail)
    for mailbox in envelope.forward_paths:
        _offer(session, transaction, mailbox.address)
    if not transaction.accepted:
        raise RecipientsRefused.of(session.config.name, message, transaction.refused)
    reply = session.command("DATA", "DATA")
    if reply.code != 354:
        raise refused(session.config.name, "DATA", reply)
    _write_message(session, transaction.mime)
    transaction.final_reply = session.read_reply(FINAL_REPLY)
    _expect(session, FINAL_REPLY, transaction.final_reply)
    return transaction


def stuff_dots(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Double each dot that begins a line (RFC 5321, section 4.5.2).

    Args:
        blocks: octets with CRLF line ends; no block ends between CR and LF.
    """
    at_line_start = True
    for block in filter(None, blocks):
        stuffed = block.replace(b"\r\n.", b"\r\n..")
        yield b"." + stuffed if at_line_start and block.startswith(b".") else stuffed
        at_line_start = block.endswith(b"\r\n")


def _mail_command(session: Session, message: Message, envelope: Envelope, size: int) -> str:
    command = f"MAIL FROM:<{envelope.reverse_path.address}>"
    if "SIZE" in session.extensions:
        _check_size(session, size)
        command += f" SIZE={size}"
    if message.needs_smtputf8 or envelope.needs_smtputf8:
        command += smtputf8_parameters(session)
    return command


def smtputf8_parameters(session: Session) -> str:
    """The parameters of MAIL for an address with other than ASCII (RFC 6531, section 3.4).

    Raises:
        UnsupportedFeature: the server does not offer them.
    """
    if not {"SMTPUTF8", "8BITMIME"} <= session.extensions.keys():
        raise UnsupportedFeature(
            f"to: {session.config.name} does not offer SMTPUTF8, which an address with other"
            " than ASCII characters before the @ needs. Use the recipient's ASCII address."
        )
    return " BODY=8BITMIME SMTPUTF8"


def _check_size(session: Session, size: int) -> None:
    limit = session.extensions["SIZE"].strip()
    if limit.isdigit() and 0 < int(limit) < size:
        raise MessageTooLarge(
            f"attachments: the message has {size:,} octets, {session.config.name} takes"
            f" {int(limit):,}. Attach less, or link to the files."
        )


def _offer(session: Session, transaction: Transaction, address: str) -> None:
    reply = session.command("RCPT", f"RCPT TO:<{address}>")
    if reply.code == 421:
        raise refused(session.config.name, "RCPT", reply)
    if reply.is_positive:
        transaction.accepted.append(address)
    else:
        transaction.refused[address] = reply.as_refusal()


def _write_message(session: Session, mime: MimeText) -> None:
    """The last octets end the message: whether they arrived, only the final reply tells."""
    for block in stuff_dots(mime):
        session.write("body", block)
    session.write(FINAL_REPLY, b".\r\n")


def _expect(session: Session, stage: str, reply: Reply) -> None:
    if not reply.is_positive:
        raise refused(session.config.name, stage, reply)
