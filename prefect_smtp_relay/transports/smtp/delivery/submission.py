"""One message on its way to a relay, over as many transactions and sessions as it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import Enum, auto
from functools import cached_property

from prefect_smtp_relay.exceptions import DeliveryError, EmailError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.render import MimeText, render_mime
from prefect_smtp_relay.mail.receipt import Receipt, Refusal, recipients_refused
from prefect_smtp_relay.transports.bulk import foreseen
from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.refusals import advise_recipients
from prefect_smtp_relay.transports.smtp.reply import Reply

_CLOSED = 451
"""What a lost connection counts as (RFC 5321, section 3.8)."""


class Stage(Enum):
    """How far a recipient is."""

    WAITING = auto()
    """For a transaction."""
    OFFERED = auto()
    """In a transaction: its RCPT is written, or is about to be."""
    TAKEN = auto()
    """The server said yes to its RCPT; the final reply decides."""
    ACCEPTED = auto()


State = Stage | Refusal
"""Of one recipient: how far it is, or why the relay does not take the message for it."""


class Submission:
    """A message, and the state of each of its recipients.

    Args:
        config: of the relay.
        message, envelope: what, and to whom; each recipient is offered it once.
        report: called with the result, once.
    """

    def __init__(
        self,
        config: SmtpConfig,
        message: Message,
        envelope: Envelope,
        report: Callable[[Receipt | EmailError], None],
    ) -> None:
        self.config = config
        self._report = report
        self._is_reported = False
        self.message = message
        self._written = message
        self.envelope = envelope
        self.was_moved = False
        self.states: dict[str, State] = {m.address: Stage.WAITING for m in envelope.forward_paths}
        self._final_replies: list[Reply] = []
        self._error: EmailError | None = None

    @cached_property
    def mime(self) -> MimeText:
        """The message as MIME text, rendered once for all its recipients."""
        return render_mime(self._written)

    def render(self) -> bool:
        """Render the message; where that fails, it fails for all its recipients.

        Returns:
            Whether it can be submitted.
        """
        try:
            self.mime  # noqa: B018  # kept
        except Exception as error:  # a defect in one message is not that of the others
            self.fail(foreseen(error))
            return False
        return True

    @cached_property
    def deadline(self) -> Deadline:
        """The bound of the whole, from the moment it is first asked for."""
        seconds = self.config.timeout_seconds * self.config.limits.timeouts_per_delivery
        return Deadline.of_delivery(seconds, self.mime.size, len(self.states))

    @cached_property
    def blind_recipients(self) -> list[str]:
        """Addresses that no error and no receipt may show."""
        visible = {mailbox.address for mailbox in self.message.visible_recipients}
        return [m.address for m in self.envelope.forward_paths if m.address not in visible]

    @property
    def is_waiting(self) -> bool:
        """Whether there are recipients who wait for a transaction."""
        return Stage.WAITING in self.states.values()

    def in_stage(self, stage: Stage) -> list[str]:
        """Who is so far, in the order of the envelope."""
        return [address for address, state in self.states.items() if state is stage]

    def note(self, addresses: Iterable[str], state: State) -> None:
        """Note one state for several recipients."""
        self.states |= dict.fromkeys(addresses, state)

    def offer(self, limit: int) -> list[str]:
        """Take the recipients of the next transaction, so many at most."""
        addresses = self.in_stage(Stage.WAITING)[:limit]
        self.note(addresses, Stage.OFFERED)
        return addresses

    @property
    def needs_smtputf8(self) -> bool:
        """Whether an address that is still to be written needs SMTPUTF8 (RFC 6531)."""
        paths = (self.envelope.reverse_path, *self._not_refused())
        return self._written.needs_smtputf8 or any(path.needs_smtputf8 for path in paths)

    def refuse_smtputf8(self, refusal: Refusal) -> None:
        """Leave out those who need SMTPUTF8, in the headers too, so that the others get the mail.

        Args:
            refusal: why the server does not take the message for them.
        """
        needing = [m.address for m in self._not_refused() if m.needs_smtputf8]
        if len(needing) == len(self._not_refused()):
            return
        self.note(needing, refusal)
        to, cc = (
            tuple(m for m in shown if not m.needs_smtputf8)
            for shown in (self.message.to, self.message.cc)
        )
        self._written = replace(self.message, to=to, cc=cc)
        self.__dict__.pop("mime", None)

    def _not_refused(self) -> list[Mailbox]:
        paths = self.envelope.forward_paths
        return [path for path in paths if not isinstance(self.states[path.address], Refusal)]

    def accept(self, addresses: Iterable[str], reply: Reply) -> None:
        """Note that the relay took the message for these."""
        self.note(addresses, Stage.ACCEPTED)
        self._final_replies.append(reply)

    def fail(self, error: EmailError, addresses: Iterable[str] = ()) -> None:
        """Note what keeps the message from these, and from all who still wait.

        Args:
            error: translated.
            addresses: those of the transaction that it ended.
        """
        if any(isinstance(state, Refusal) for state in self.states.values()):
            error = error.copy(nothing_handed_over=False)  # some were refused for themselves
        self._error = self._error or error
        code, enhanced, words = _CLOSED, "", str(error)
        if isinstance(error, DeliveryError):
            code = error.code if error.code and error.code >= 400 else _CLOSED
            enhanced, words = error.enhanced_code, error.detail
        refusal = Refusal(code=code, enhanced_code=enhanced, text=words)
        self.note([*addresses, *self.in_stage(Stage.WAITING)], refusal)

    def end(self) -> None:
        """Report what became of the message, once that is known of each recipient."""
        states = self.states.values()
        is_known = all(state is Stage.ACCEPTED or isinstance(state, Refusal) for state in states)
        if is_known and not self._is_reported:
            self._is_reported = True
            self._report(self._result())

    def _result(self) -> Receipt | EmailError:
        """Say what became of the message: the receipt, or why nobody was accepted."""
        refused = {a: state for a, state in self.states.items() if isinstance(state, Refusal)}
        accepted = self.in_stage(Stage.ACCEPTED)
        if not accepted:
            return self._error or recipients_refused(
                self.config.name, self.message, refused, advise_recipients([*refused.values()])
            )
        return Receipt.for_message(
            self.message,
            transport=self.config.name,
            outcome="accepted",
            accepted=accepted,
            refused=refused,
            response="; ".join(map(str, self._final_replies)),
            size=self.mime.size,
        )
