"""The SMTP transport."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.connect.pool import MOST_CONNECTIONS, pool
from prefect_smtp_relay.transports.smtp.delivery.pipeline import Backlog, serve
from prefect_smtp_relay.transports.smtp.delivery.submission import Submission

_MOST_FRUITLESS = 3
_WAIT_SECONDS = 0.2
_PAUSES_SECONDS = (0.5, 2.0)
"""Before a relay that has served is asked once more for a session; it may be restarting."""


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
        self, mails: Sequence[tuple[Message, Envelope]], connections: int = 1
    ) -> list[Receipt | EmailError]:
        """Submit many messages, pipelined over as many sessions as wanted.

        Args:
            mails: messages with their envelopes.
            connections: 1 to 10, in threads of their own where there are several.

        Returns:
            What became of each, in their order. When no session can be had any more, the error
            is that of all who still waited.
        """
        submissions = [Submission(self._config, *mail) for mail in mails]
        backlog = Backlog(submissions)
        workers = min(connections, MOST_CONNECTIONS, len(submissions))
        error = self._work_in_threads(backlog, workers) if workers > 1 else self._work(backlog)
        while error is not None and (left := backlog.take()) is not None:
            left.fail(error)
            error = error.copy()
        return [submission.result() for submission in submissions]

    def _work_in_threads(self, backlog: Backlog, workers: int) -> EmailError | None:
        """Submit what the backlog holds over several sessions at once.

        Returns:
            As `_work`; where only some of the threads got no session, the last one goes on.
        """
        with ThreadPoolExecutor(workers) as threads:
            try:
                run = [contextvars.copy_context().run for _ in range(workers)]
                running = [threads.submit(each, self._work, backlog) for each in run]
                while wait(running, _WAIT_SECONDS).not_done:
                    pass  # in a thread, nothing else lets a task's timeout in
            except BaseException:
                backlog.clear()  # the threads end with the messages that are under way
                raise
        errors = [worker.result() for worker in running]
        return self._work(backlog) if None in errors else errors[0]

    def _work(self, backlog: Backlog) -> EmailError | None:
        """Submit what the backlog holds over one session after the other.

        Returns:
            Why no session can be had any more, if that ended it.
        """
        fruitless = 0
        pauses: Iterator[float] = iter(())
        waiting = backlog.take()
        while waiting is not None:
            deadline, is_new = waiting.deadline, waiting.was_moved
            try:
                with pool.lease(self._config, deadline, is_new=is_new) as session:
                    following = serve(session, waiting, backlog)
            except EmailError as error:
                pause = next(pauses, None) if error.transient else None
                if pause is None:
                    backlog.put_back(waiting)
                    return error
                time.sleep(pause)
                continue
            waiting = following
            if session.served:
                fruitless, pauses = 0, iter(_PAUSES_SECONDS)
            elif (fruitless := fruitless + 1) == _MOST_FRUITLESS and waiting is not None:
                backlog.put_back(waiting)
                return session.failure
        return None
