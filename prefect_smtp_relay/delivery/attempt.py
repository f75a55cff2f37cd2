"""One try of one mail: what it starts from, and what becomes of it when it succeeds or fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from prefect_smtp_relay.delivery import outcome, pacing
from prefect_smtp_relay.delivery.identity import Identity
from prefect_smtp_relay.delivery.keys import Claim
from prefect_smtp_relay.delivery.outcome import Outcome
from prefect_smtp_relay.delivery.retry_state import RetryState, retry_states
from prefect_smtp_relay.delivery.routing import Relay, RelayChoice
from prefect_smtp_relay.exceptions import (
    EmailError,
    MessageError,
    OutcomeUnknown,
    RecipientsRefused,
)
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Draft, Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.mail.sender import SenderPolicy, resolve_sender
from prefect_smtp_relay.runtime.events import emit_failure
from prefect_smtp_relay.runtime.run import Run
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.transports.outbox import FROM_PENDING


class Attempt:
    """A try that goes only to those whom no earlier try reached.

    Args:
        draft: the checked message.
        identity: what stays the same on every try.
        run: the try.
        settings: as of now.
        keeps: whether the outbox gets what fails for good.
    """

    def __init__(
        self,
        draft: Draft,
        identity: Identity,
        run: Run,
        settings: SmtpRelaySettings,
        *,
        keeps: bool = True,
    ) -> None:
        self.draft = draft
        self.identity = identity
        self.outcome: Outcome | None = None
        self._run = run
        self._settings = settings
        self._keeps = keeps
        self._claim = Claim(draft)
        self._relay: Relay | None = None
        self._message: Message | None = None

    @property
    def state(self) -> RetryState:
        """What the tries up to now came to; another call with the same key may add to it."""
        return retry_states().recall(self.identity.seed)

    @property
    def message(self) -> Message:
        """The message, completed once; where no relay was chosen, its From waits for one."""
        if self._message is None:
            sender = resolve_sender(self.draft.requested_from, (self._settings.default_from,))
            self._message = self._complete(sender or FROM_PENDING)
        return self._message

    @property
    def envelope(self) -> Envelope:
        """To whom this try goes."""
        whole, reached = Envelope.of(self.message), self.state.receipt
        return whole if reached is None else whole.only_for(reached.deferred)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Let an error end this try, and no other mail's."""
        try:
            yield
        except EmailError as error:
            self.fail(error)

    def resume(self) -> None:
        """Take over what earlier tries settled: accepted for everybody, or given up in this run."""
        state = self.state
        if state.receipt is not None and not state.receipt.deferred:
            self.outcome = Outcome(state.receipt)
        elif state.error and state.error.given_up and state.run_id == self.identity.run_id:
            self.outcome = Outcome(error=state.error)

    def claim(self, claim: Claim) -> None:
        """Go on under the mail's key: what was accepted under it before is this mail's outcome.

        Raises:
            ReceiptLookupFailed, ReceiptDamaged: as `Claim.recall`.
        """
        self._claim = claim
        self.resume()
        if self.outcome is None:
            if not self._is_for_those_who_wait():
                # What is remembered is another mail's, and stays.
                self._give_up(
                    MessageError(
                        "names a mail to other recipients, of whom some are tried again now",
                        "Use a key that tells the two apart.",
                        field="idempotency_key",
                    )
                )
            elif (earlier := claim.recall()) is not None:
                self.outcome = Outcome(earlier)

    def prepare(self, choice: RelayChoice) -> None:
        """Choose the relay, and decide who the mail is from.

        Raises:
            EmailError: in a text that says what to change; or the relay asked to wait longer.
        """
        self._relay = choice.get()
        policy = SenderPolicy.protecting(self._settings.protected_domains)
        self._message = self._complete(self._relay.sender(self.draft.requested_from, policy))
        pacing.check(self.state, self._relay.name)

    def take(self, result: Receipt | EmailError) -> None:
        """Note what the relay made of the mail."""
        if isinstance(result, EmailError):
            self.fail(result)
        elif self._relay is not None:
            self._end(result.model_copy(update={"relay": self._relay.name}))

    def fail(self, error: EmailError) -> None:
        """Note what stopped the mail; keep it if nobody has it and nobody tries again."""
        error = error.copy(
            relay=self._relay.name if self._relay else error.relay,
            message_id=self._message.message_id if self._message else error.message_id,
        )
        state = self.state
        if error.transient and self._run.retries_left(self._max_retries(error)):
            moment = pacing.not_before(error)
            self._note(replace(state, error=error, not_before=moment))
            self.outcome = Outcome(error=error)
        elif state.receipt is not None:
            self._end(state.receipt.refused_again(self._refusals(error)), followed=True)
        else:
            self.forget()
            self._give_up(error)

    def note_result(self) -> None:
        """Remember the outcome for the next try of a batch, of which other mails go again."""
        if self.outcome is None:
            return
        if self.outcome.receipt is not None:
            self._note(RetryState(self.outcome.receipt))
        elif self.outcome.error is not None and self.outcome.error.given_up:
            self._note(RetryState(error=self.outcome.error))

    def forget(self) -> None:
        """Forget the tries of a mail that is at its end."""
        retry_states().forget(self.identity.seed)

    def _note(self, state: RetryState) -> None:
        state = replace(state, run_id=self.identity.run_id)
        retry_states().note(self.identity.seed, state)

    def _complete(self, mailbox: Mailbox) -> Message:
        return self.identity.complete(self.draft, mailbox)

    def _is_for_those_who_wait(self) -> bool:
        """Whether this mail has a recipient whom an earlier try of its key left for the next."""
        reached = self.state.receipt
        recipients = (*self.draft.to, *self.draft.cc, *self.draft.bcc)
        addresses = {mailbox.address for mailbox in recipients}
        return reached is None or bool(addresses & {*reached.deferred})

    def _max_retries(self, error: EmailError) -> int | None:
        if isinstance(error, OutcomeUnknown) and self._settings.unknown_outcome == "keep":
            return 0
        return error.max_retries

    def _refusals(self, error: EmailError) -> dict[str, Any]:
        """Tell whom the relay refused: the error only numbers Bcc recipients."""
        if not isinstance(error, RecipientsRefused):
            return {}
        addresses = (mailbox.address for mailbox in self.envelope.forward_paths)
        return dict(zip(addresses, error.refusals.values(), strict=False))

    def _end(self, receipt: Receipt, *, followed: bool = False) -> None:
        """Note that a relay took the mail; tell of it, unless some recipients are tried again."""
        reached = self.state.receipt
        if reached is not None and not followed:
            receipt = reached.followed_by(receipt)
        if receipt.deferred and self._run.retries_left():
            self._note(RetryState(receipt))
            self.outcome = Outcome(error=outcome.deferral(receipt), message=self.message)
            return
        self._claim.record(receipt)
        self.forget()
        outcome.tell(receipt)
        if receipt.deferred and self._keeps:
            outcome.keep_for_deferred(self.message, receipt, self._settings)
        self.outcome = Outcome(receipt, message=self.message)

    def _give_up(self, error: EmailError) -> None:
        kept = outcome.keep(self.message, error, self._settings) if self._keeps else ""
        message_id = self.message.message_id if kept else error.message_id
        error = error.copy(kept=kept, message_id=message_id, given_up=True)
        emit_failure(error)
        self.outcome = Outcome(error=error)
