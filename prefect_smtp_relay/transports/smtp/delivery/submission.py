"""One message on its way to a relay, over as many transactions and sessions as it takes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import cached_property

from prefect_smtp_relay.exceptions import DeliveryError, EmailError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.render import MimeText, render_mime
from prefect_smtp_relay.mail.receipt import Receipt, Refusal, recipients_refused
from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.reply import Reply

_CLOSED = 451
"""What a lost connection counts as (RFC 5321, section 3.8)."""


class Submission:
    """What became of a message so far: who waits for it, has it, or was refused.

    Args:
        config: of the relay.
        message, envelope: what, and to whom; each recipient is offered it once.
    """

    def __init__(self, config: SmtpConfig, message: Message, envelope: Envelope) -> None:
        self.config = config
        self.message = message
        self.envelope = envelope
        self.was_moved = False
        self._waiting = deque(dict.fromkeys(m.address for m in envelope.forward_paths))
        self._accepted: list[str] = []
        self._refused: dict[str, Refusal] = {}
        self._final_replies: list[Reply] = []
        self._error: EmailError | None = None

    @cached_property
    def mime(self) -> MimeText:
        """The message as MIME text, rendered once for all its recipients."""
        return render_mime(self.message)

    @cached_property
    def deadline(self) -> Deadline:
        """The bound of the whole, from the moment it is first asked for."""
        timeout = self.config.timeout_seconds
        return Deadline.of_delivery(timeout, self.mime.size, len(self.envelope.forward_paths))

    @cached_property
    def blind_recipients(self) -> list[str]:
        """Addresses that no error and no receipt may show."""
        visible = {mailbox.address for mailbox in self.message.visible_recipients}
        return [m.address for m in self.envelope.forward_paths if m.address not in visible]

    @property
    def is_waiting(self) -> bool:
        """Whether there are recipients whom nobody offered it for yet."""
        return bool(self._waiting)

    def take_recipients(self, limit: int) -> list[str]:
        """Take the recipients of the next transaction."""
        return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    def put_back(self, addresses: Iterable[str]) -> None:
        """Let recipients wait for another transaction."""
        self._waiting.extendleft(reversed(list(addresses)))

    def accept(self, addresses: Iterable[str], reply: Reply) -> None:
        """Note that the relay took the message for these."""
        self._accepted += addresses
        self._final_replies.append(reply)

    def refuse(self, address: str, reply: Reply) -> None:
        """Note that the relay does not take the message for one recipient."""
        self._refused[address] = reply.as_refusal()

    def fail(self, error: EmailError, addresses: Iterable[str] = ()) -> None:
        """Note what stood against the message for these, and for all who still wait.

        Args:
            error: translated.
            addresses: those of the transaction that it ended.
        """
        self._error = self._error or error
        code, enhanced, words = _CLOSED, "", str(error)
        if isinstance(error, DeliveryError):
            code = error.code if error.code and error.code >= 400 else _CLOSED
            enhanced, words = error.enhanced_code, error.detail
        refusal = Refusal(code=code, enhanced_code=enhanced, text=words)
        self._refused.update(dict.fromkeys([*addresses, *self._waiting], refusal))
        self._waiting.clear()

    def result(self) -> Receipt | EmailError:
        """Say what became of the message: the receipt, or why nobody was accepted."""
        if not self._accepted:
            nobody = recipients_refused(self.config.name, self.message, self._refused)
            return self._error or nobody
        return Receipt.for_message(
            self.message,
            transport=self.config.name,
            outcome="accepted",
            accepted=self._accepted,
            refused=self._refused,
            response="; ".join(map(str, self._final_replies)),
            size=self.mime.size,
        )
