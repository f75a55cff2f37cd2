"""The SMTP transport."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import partial

from prefect_smtp_relay.exceptions import EmailError, InternalError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.bulk import (
    Backlog,
    Mail,
    Report,
    Result,
    Results,
    foreseen,
    in_threads,
)
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.connect.pool import Pool
from prefect_smtp_relay.transports.smtp.delivery.pipeline import serve
from prefect_smtp_relay.transports.smtp.delivery.submission import Submission
from prefect_smtp_relay.transports.smtp.session.session import Session

_MAX_FRUITLESS = 3
"""Sessions in a row that took nothing, before the rest is given up."""


class SmtpTransport:
    """Submits messages over sessions that the process keeps.

    Args:
        config: how to reach the relay. Transports of equal configurations share their sessions.
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
        result = self.deliver_all([(message, envelope)])[0]
        if isinstance(result, EmailError):
            raise result
        return result

    def deliver_all(
        self, mails: Iterable[Mail], connections: int = 1, report: Report | None = None
    ) -> list[Result]:
        """Submit many messages, pipelined over as many sessions as wanted.

        Args:
            mails: messages with their envelopes, each drawn shortly before its turn: one while
                the mail before it is submitted, and one while the server thinks about that.
            connections: 1 to 10, in threads of their own where there are several.
            report: called with each result as soon as it is known, before the next mail of that
                connection is submitted.

        Returns:
            What became of each, in their order. When no session can be had any more, the error
            is that of all who still waited.
        """
        results = Results(report)
        backlog = Backlog(
            Submission(self._config, *mail, partial(results.note, number))
            for number, mail in enumerate(mails)
        )
        threads = min(connections, self._config.limits.connections)
        errors = in_threads(lambda: self._work(backlog), threads, backlog)
        # Where only some of the threads got no session, this one goes on.
        error = self._work(backlog) if None in errors else errors[0]
        while error is not None and (left := backlog.take()) is not None:
            left.fail(error)
            left.end()
            error = error.copy()
        return results.in_order()

    def _work(self, backlog: Backlog[Submission]) -> EmailError | None:
        """Submit what the backlog holds over one session after the other.

        Returns:
            Why no session can be had any more, if that ended it.
        """
        fruitless = 0
        pauses: Iterator[float] = iter(())
        waiting = backlog.take()
        while waiting is not None:
            if not waiting.render():
                waiting.end()
                waiting = backlog.take()
                continue
            try:
                session, following = self._serve(waiting, backlog)
            except Exception as error:  # no session, or not foreseen
                # A relay that has served may be restarting: it is asked once or twice more.
                failure = foreseen(error)
                pause = next(pauses, None) if failure.transient else None
                if pause is None:
                    backlog.put_back(waiting)
                    return _not_begun(failure)
                time.sleep(pause)
                continue
            waiting = following
            if session.served:
                fruitless, pauses = 0, iter(self._config.limits.pauses_seconds)
            elif (fruitless := fruitless + 1) == _MAX_FRUITLESS and waiting is not None:
                backlog.put_back(waiting)
                return session.failure and _not_begun(session.failure)
        return None

    def _serve(
        self, waiting: Submission, backlog: Backlog[Submission]
    ) -> tuple[Session, Submission | None]:
        """Serve over one session; return it, and who has to go on over another one."""
        pool, deadline = process_memory.of(Pool), waiting.deadline
        with pool.lease(self._config, deadline, is_new=waiting.was_moved) as session:
            return session, serve(session, waiting, backlog)


def _not_begun(failure: EmailError) -> EmailError:
    """Give the error of all that no session began with, whatever became of those before."""
    return failure.copy(nothing_handed_over=not isinstance(failure, InternalError))
