"""One mail transaction: MAIL, RCPT for each, DATA, the message, the final reply (RFC 5321, 3.3)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from prefect_smtp_relay.exceptions import TimedOut
from prefect_smtp_relay.mail.receipt import Refusal
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.smtp.connect.learned import Learned
from prefect_smtp_relay.transports.smtp.delivery.mail_command import mail_command
from prefect_smtp_relay.transports.smtp.delivery.submission import Stage, Submission
from prefect_smtp_relay.transports.smtp.errors import FINAL_REPLY, refused
from prefect_smtp_relay.transports.smtp.reply import Reply
from prefect_smtp_relay.transports.smtp.session.session import Session
from prefect_smtp_relay.transports.smtp.session.wire import stuff_dots

_UNKNOWN_COMMAND = frozenset({500, 501, 502})
_OUT_OF_STEP = _UNKNOWN_COMMAND | {503}
_TOO_MANY = re.compile(r"too many recipients|recipient limit", re.IGNORECASE)


class Transaction:
    """A message's way through a session, to as many recipients as the server takes at once.

    The steps are `announce`, `open`, `write_message` and `finish`. What becomes of each recipient
    is noted in the submission; an error that is raised ends the session, and leaves it to the
    caller what becomes of the `open_recipients`.

    Args:
        session: greeted, encrypted and logged in.
        submission: what is submitted; its next recipients are taken.

    Raises:
        MessageTooLarge, UnsupportedFeature: the server takes no such message.
    """

    def __init__(self, session: Session, submission: Submission) -> None:
        self._mail = mail_command(session, submission)
        self.submission = submission
        self._session = session
        self._addresses = submission.offer(session.recipient_limit)
        # What is written and not answered yet, or, without pipelining, is still to be written.
        self._commands: deque[tuple[str, str]] = deque()
        self._is_announced = False
        self._follows_a_message = False
        self._are_too_many = False
        self._wants_message = False

    @property
    def open_recipients(self) -> list[str]:
        """Those of this transaction who are neither accepted, refused, nor waiting for another."""
        states = self.submission.states
        return [a for a in self._addresses if states[a] in (Stage.OFFERED, Stage.TAKEN)]

    @property
    def has_refused_some(self) -> bool:
        """Whether some of its recipients were refused for themselves."""
        return any(isinstance(self.submission.states[a], Refusal) for a in self._addresses)

    @property
    def _taken(self) -> list[str]:
        return [a for a in self._addresses if self.submission.states[a] is Stage.TAKEN]

    def announce(self, *, after_a_message: bool = False) -> bytes:
        """Give all commands in one write (RFC 2920), where the server permits it.

        Without pipelining, and a second time, there is nothing to write.

        Args:
            after_a_message: whether that write begins with the end of another message.
        """
        losing = process_memory.of(Learned).losing
        is_lost = after_a_message and self._session.config.endpoint in losing
        if self._is_announced or is_lost:
            return b""
        self._is_announced = True
        self._follows_a_message = after_a_message
        self._commands += [("MAIL", "RSET")] * self._session.in_transaction
        self._commands.append(("MAIL", self._mail))
        self._commands += [("RCPT", f"RCPT TO:<{address}>") for address in self._addresses]
        self._commands.append(("DATA", "DATA"))
        if not self._session.pipelines:
            return b""
        return "\r\n".join([*(line for _, line in self._commands), ""]).encode()

    def open(self) -> None:
        """Go through the envelope, up to the reply to DATA.

        Raises:
            EmailError: the session is over.
        """
        self._session.hide_addresses(self.submission.blind_recipients)
        if commands := self.announce():
            self._session.write("MAIL", commands)
        replies = self._replies()
        if self._commands[0][1] == "RSET" and not (reset := next(replies)).is_positive:
            raise self._session.out_of_step("MAIL", reset)
        mail = next(replies)
        self._session.in_transaction = mail.is_positive
        if not mail.is_positive:
            self._heed_refused_sender(mail, replies)
            return
        self._offer(replies)
        # DATA was pipelined, and is answered in any case; else it is written for somebody only.
        if self._session.pipelines or self._taken:
            *_, data = replies
            self._note_data(data)

    def write_message(self, next_commands: bytes) -> None:
        """Write the message, if the server waits for it, and the dot that ends it.

        Where nobody was accepted and the server waits all the same, it gets the dot alone
        (RFC 2920, section 3.1).

        Args:
            next_commands: of the next transaction, for a server that pipelines.

        Raises:
            EmailError: the session is over.
        """
        if self._wants_message:
            chunks = stuff_dots(self.submission.mime) if self._taken else ()
            self._session.write_message(chunks, next_commands)
        elif next_commands:
            self._session.write("MAIL", next_commands)

    def finish(self) -> None:
        """Read the final reply, if there is one.

        Raises:
            EmailError: the session is over.
        """
        if not self._wants_message:
            return
        reply = self._heed(FINAL_REPLY, self._session.read_reply(FINAL_REPLY))
        if reply.is_positive and (taken := self._taken):
            self.submission.accept(taken, reply)
            self._session.has_accepted = True
        else:
            # Postfix goes on with a transaction that a policy refused at its end.
            self._session.in_transaction = not reply.is_positive
            self._fail(FINAL_REPLY, reply)

    def withdraw(self) -> None:
        """Let its recipients wait for another transaction: they were given nothing in this one."""
        self.submission.note(self.open_recipients, Stage.WAITING)

    def _replies(self) -> Iterator[Reply]:
        """Read the replies one by one; where commands are not pipelined, each waits its turn."""
        session, pipelines = self._session, self._session.pipelines
        # A server may keep its replies until it has been through all recipients.
        seconds = session.config.timeout_seconds + len(self._addresses) - 1
        while self._commands:
            stage, line = self._commands.popleft()
            if not pipelines:
                reply = session.command(stage, line)
            elif stage == "MAIL" and self._follows_a_message:
                reply = self._read_after_a_message(seconds)
            else:
                reply = session.read_reply(stage, seconds)
            yield self._heed(stage, reply)

    def _read_after_a_message(self, seconds: float) -> Reply:
        """Read the reply to MAIL; a server that lost what came with a message will never answer."""
        session = self._session
        try:
            return session.read_reply(
                "MAIL", min(seconds, session.config.limits.next_reply_seconds)
            )
        except TimedOut:
            process_memory.of(Learned).losing.add(session.config.endpoint)
            raise

    def _heed_refused_sender(self, mail: Reply, replies: Iterator[Reply]) -> None:
        """Note the refusal of MAIL, unless it is the session's own: a new one may do better.

        A server that asks for a message all the same has another transaction in mind, and gets
        not even the dot: it would store an empty message.
        """
        session = self._session
        if session.pipelines:
            *_, data = replies
            if data.code == 354:
                session.close()
        if self._follows_a_message and mail.code in _UNKNOWN_COMMAND:
            process_memory.of(Learned).losing.add(session.config.endpoint)
        if session.served and (mail.is_transient or mail.code in _OUT_OF_STEP):
            session.is_retired = True
            raise refused(session.config.name, "MAIL", mail)
        self._fail("MAIL", mail)

    def _heed(self, stage: str, reply: Reply) -> Reply:
        """End the session where the server does, or where its replies are out of step."""
        if stage == "DATA":
            is_odd = reply.code < 400 and reply.code != 354
        else:
            is_odd = 300 <= reply.code < 400
        if reply.code == 421 or (is_odd and stage == FINAL_REPLY):
            self._session.close()
            raise refused(self._session.config.name, stage, reply)
        if is_odd:
            raise self._session.out_of_step(stage, reply)
        return reply

    def _offer(self, replies: Iterator[Reply]) -> None:
        """Ask for each recipient; those who are too many wait for the next transaction."""
        taken = 0
        for address in self._addresses:
            if self._are_too_many and not self._session.pipelines:
                self._commands.popleft()  # not written yet: nobody is asked in vain
                state: Stage | Refusal = Stage.WAITING
            else:
                state = self._read_state(next(replies), is_first=not taken)
            taken += state is Stage.TAKEN
            self.submission.states[address] = state
        if self._are_too_many:
            self._session.recipient_limit = taken

    def _read_state(self, reply: Reply, *, is_first: bool) -> Stage | Refusal:
        """Read the reply to RCPT; the first recipient of a transaction cannot be one too many."""
        if reply.is_positive:
            return Stage.TAKEN
        says_too_many = _says_too_many(reply)
        if is_first or not (says_too_many or _may_mean_too_many(reply)):
            return reply.as_refusal()
        self._are_too_many |= says_too_many
        return Stage.WAITING

    def _note_data(self, reply: Reply) -> None:
        self._wants_message = reply.code == 354
        if self._wants_message:
            self._session.in_transaction = False  # the dot ends it
        elif self._are_too_many:
            self.withdraw()  # Exim may refuse all because of those, and takes fewer
        else:
            self._fail("DATA", reply)

    def _fail(self, stage: str, reply: Reply) -> None:
        if addresses := self.open_recipients:
            self.submission.fail(refused(self._session.config.name, stage, reply), addresses)


def _says_too_many(reply: Reply) -> bool:
    """Whether the recipient fits into another transaction (RFC 5321, 4.5.3.1.10; RFC 3463, X.5.3).

    RFC 821 had 552 for it, which some still use.
    """
    return reply.enhanced_code.endswith(".5.3") or bool(_TOO_MANY.search(reply.text))


def _may_mean_too_many(reply: Reply) -> bool:
    """452 without an enhanced code may speak of one mailbox, too: another transaction tells."""
    return reply.code == 452 and not reply.enhanced_code
