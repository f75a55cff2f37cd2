"""One submission after the other over a session, as long as it lasts."""

from __future__ import annotations

from prefect_smtp_relay.exceptions import (
    DeliveryError,
    EmailError,
    MessageError,
    OutcomeUnknown,
)
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.base import logger
from prefect_smtp_relay.transports.bulk import Backlog, foreseen
from prefect_smtp_relay.transports.smtp.connect.learned import Learned
from prefect_smtp_relay.transports.smtp.delivery.submission import Submission
from prefect_smtp_relay.transports.smtp.delivery.transaction import Transaction
from prefect_smtp_relay.transports.smtp.errors import FINAL_REPLY
from prefect_smtp_relay.transports.smtp.session.session import Session

Submissions = Backlog[Submission]


def serve(session: Session, submission: Submission, backlog: Submissions) -> Submission | None:
    """Submit one message, and then what the backlog holds, as long as the session lasts.

    Where the server pipelines, the commands of the next transaction go in one write with the
    bytes that end a message, so that a message costs one round trip::

        C: ... last line, ".", MAIL, RCPT, DATA     write_message(), announce() of the next
        S: 250 queued                               finish()
        S: 250, 250, 354                            open() of the next

    Args:
        session: greeted, encrypted and logged in.
        submission: the first one.
        backlog: the others.

    Returns:
        The submission that has to go on over another session; None when nothing is left.
    """
    transaction = _begin(session, submission, backlog)
    while transaction is not None:
        following: Transaction | None = None
        try:
            session.go_on(transaction.submission.deadline)
            transaction.open()
            following = _follow(session, transaction.submission, backlog)
            next_commands = following.announce(after_a_message=True) if following else b""
            transaction.write_message(next_commands)
            if coming := backlog.next:
                coming.render()  # while the server works
            transaction.finish()
        except Exception as error:  # of the session, or not foreseen
            if not session.is_retired:
                session.close()
            if following is not None:
                _withdraw(following, transaction, backlog)
            return _interrupted(session, transaction, foreseen(error)) or backlog.take()
        session.served += 1
        submission, transaction = transaction.submission, following
        submission.end()
    return submission if submission.is_waiting else backlog.take()


def _begin(
    session: Session, submission: Submission | None, backlog: Submissions
) -> Transaction | None:
    """Begin a transaction with the first submission that the server can take at all."""
    while submission is not None:
        try:
            if submission.render():
                return Transaction(session, submission)
        except MessageError as error:
            submission.fail(error)
        submission.end()
        submission = backlog.take()
    return None


def _follow(session: Session, submission: Submission, backlog: Submissions) -> Transaction | None:
    """Begin what comes next: the rest of the recipients, or another submission."""
    if session.should_end or not session.is_open:
        return None
    return _begin(session, submission if submission.is_waiting else backlog.take(), backlog)


def _withdraw(following: Transaction, transaction: Transaction, backlog: Submissions) -> None:
    following.withdraw()
    if following.submission is not transaction.submission:
        backlog.put_back(following.submission)


def _interrupted(
    session: Session, transaction: Transaction, error: EmailError
) -> Submission | None:
    """Decide on the submission whose session ended.

    Args:
        session: closed, or retired.
        transaction: the one that was under way.
        error: what ended it.

    Returns:
        The submission, if it may try again over a new session: the open recipients have nothing,
        and the session is to blame, or it refused others, so that this comes to an end.
    """
    submission = transaction.submission
    session.failure = error
    if not transaction.open_recipients and not submission.is_waiting:
        submission.end()
        return None
    may_move = session.is_retired or (error.transient and not isinstance(error, OutcomeUnknown))
    is_worth_it = (session.served or _closes_its_address(session, error)) and (
        not submission.was_moved
    )
    if may_move and (is_worth_it or transaction.has_refused_some):
        logger.debug("%s; the mail goes over a new connection.", error)
        submission.was_moved = True
        transaction.withdraw()
        return submission
    submission.fail(error, transaction.open_recipients)
    submission.end()
    return None


def _closes_its_address(session: Session, error: EmailError) -> bool:
    """Whether an address of several closes before it took anything; then others come first."""
    if not isinstance(error, DeliveryError) or error.code != 421 or session.address is None:
        return False
    process_memory.of(Learned).closing[session.config.endpoint] = session.address
    return error.stage != FINAL_REPLY
