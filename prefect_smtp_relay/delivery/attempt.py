"""One try of one mail: what it starts from, and what becomes of it when it succeeds or fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

from prefect_smtp_relay.compose.staging import check_recipients, redirect
from prefect_smtp_relay.delivery import outcome, pacing
from prefect_smtp_relay.delivery.identity import Identity
from prefect_smtp_relay.delivery.keys import Keys, content_of, note_repeat
from prefect_smtp_relay.delivery.mail_key import MailKey
from prefect_smtp_relay.delivery.outcome import Outcome
from prefect_smtp_relay.delivery.relay_choice import RelayChoice
from prefect_smtp_relay.delivery.retry_state import NOTHING, RetryState, RetryStates
from prefect_smtp_relay.delivery.routing import Relay
from prefect_smtp_relay.delivery.thread_start import is_first
from prefect_smtp_relay.exceptions import (
    EmailError,
    InternalError,
    MessageError,
    OutcomeUnknown,
    RecipientsRefused,
)
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Draft, Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.mail.sender import FROM_PENDING, SenderPolicy, resolve_sender
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.runtime.events import emit_failure
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.runtime.run import Run
from prefect_smtp_relay.settings import SmtpRelaySettings


class Prepared(NamedTuple):
    """What one try submits, and through which relay."""

    relay: Relay
    message: Message
    envelope: Envelope


class Attempt:
    """A try that goes only to those whom no earlier try reached.

    Nothing that goes wrong with one mail leaves it: it becomes this mail's `outcome`.

    Args:
        draft: the checked message.
        run: the try.
        number: the mail's place among those of the run.
        settings: as of now.
        keeps: whether the outbox gets what fails for good.
    """

    def __init__(
        self, draft: Draft, run: Run, number: int, settings: SmtpRelaySettings, *, keeps: bool
    ) -> None:
        self.draft = draft = redirect(draft, settings)
        self.identity = Identity.of(run, number, draft.idempotency_key)
        self.outcome: Outcome | None = None
        self._run = run
        self._settings = settings
        self._keeps = keeps
        self._key = MailKey(draft)
        self.is_begun = False
        self.relay: Relay | None = None
        self._message: Message | None = None
        self._resume()

    @property
    def message(self) -> Message:
        """The message, completed once; where no relay was chosen, its From waits for one."""
        if self._message is None:
            sender = resolve_sender(self.draft.requested_from, (self._settings.default_from,))
            return self._complete(sender or FROM_PENDING)
        return self._message

    @property
    def is_bound(self) -> bool:
        """Whether an earlier try's relay may have the mail, or asked some recipients to wait."""
        return self.state.may_be_accepted or self._key.may_be_accepted or bool(self.state.receipt)

    def claim(self, keys: Keys) -> str:
        """Go on under the mail's key: what was accepted under it before is this mail's outcome.

        Returns:
            Which process submits the mail of the key now; empty where none other does.
        """
        with self._failing():
            if (found := self._key.claim(keys)) is None:
                self._go_on_under_key()
            elif found.receipt is None:
                return found.process
            else:
                note_repeat(found.receipt, same=found.content == content_of(self.draft))
                self.outcome = Outcome(found.receipt)
        return ""

    def close(self) -> None:
        """Give back the key of a mail that came to nothing: the delivery was broken off."""
        self._key.close(is_begun=self.is_begun)

    def prepare(self, choice: RelayChoice) -> Prepared | None:
        """Choose the relay, decide who the mail is from, and address it.

        Returns:
            What to submit; None where that failed, or the relay wants to be asked later.
        """
        with self._failing():
            policy = SenderPolicy.protecting(self._settings.protected_domains)
            policy.check_draft(self.draft)
            check_recipients(self.draft, self._settings)
            self.relay = relay = choice.get()
            sender = relay.sender(self.draft.requested_from, policy)
            message = self._complete(sender)
            if self.state.not_before:
                pacing.check(self.state, relay.name)
            self._key.check()
            self.is_begun = True
            return Prepared(relay, message, self._to_reach())
        return None

    def take(self, result: Receipt | EmailError) -> None:
        """Note what the relay made of the mail."""
        if isinstance(result, EmailError):
            self._fail(result)
        elif self.relay is not None:
            with self._failing():
                self._end(self.relay.sign(result))

    @property
    def is_open(self) -> bool:
        """Whether the mail has no outcome, or one that the next try may change."""
        error = self.outcome.error if self.outcome else None
        return self.outcome is None or (error is not None and not error.given_up)

    def break_off(self) -> None:
        """Keep the mail: no try follows, and this one may have submitted it."""
        error = self.outcome.error if self.outcome else None
        if error is None and self.is_begun and self.relay is not None:
            error = OutcomeUnknown(
                self.relay.transport.name, "the task ended while the message was submitted"
            )
        self._fail_for_good(error or EmailError("the task ended before the mail was submitted"))

    def note_result(self) -> None:
        """Remember the outcome for the next try of a batch, of which other mails go again."""
        if self.outcome is None:
            return
        if self.outcome.receipt is not None:
            self._note(RetryState(self.outcome.receipt))
        elif self.outcome.error is not None and self.outcome.error.given_up:
            self._note(RetryState(error=self.outcome.error))

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except EmailError as error:
            self._fail(error)
        except Exception as error:  # what nobody foresaw must not take the other mails with it
            if self.outcome is None:
                self._fail(InternalError.of(error))
            else:
                run_logger().exception("What became of the mail could not be told in full")

    def _go_on_under_key(self) -> None:
        """Take over what other tries under the key came to, in this process."""
        self._resume()
        if self.outcome is not None:
            self._key.close(is_begun=False)
        elif not self._is_for_those_who_wait():
            self._key.pause()  # what is remembered is another mail's, and stays
            self._give_up(
                MessageError(
                    "names a mail to other recipients, of whom some are tried again now",
                    "Use a key that tells the two apart.",
                    field="idempotency_key",
                )
            )

    def _resume(self) -> None:
        """Take over what earlier tries ended: accepted for everybody, or given up in this run."""
        self.state = process_memory.of(RetryStates).recall(self.identity.seed)
        state = self.state
        if state.receipt is not None and not state.receipt.deferred:
            self.outcome = Outcome(state.receipt)
            self._forget()
        elif state.error and state.error.given_up and state.run_id == self.identity.run_id:
            self.outcome = Outcome(error=state.error)
            self._forget()

    def _fail(self, error: EmailError) -> None:
        """Note what stopped the mail; keep it if nobody has it and nobody tries again."""
        error = error.copy(
            relay=self.relay.name if self.relay else error.relay,
            message_id=self._message.message_id if self._message else error.message_id,
        )
        if error.transient and self._run.retries_left(self._max_retries(error)):
            moment = pacing.not_before(error)
            is_unknown = self.state.may_be_accepted or isinstance(error, OutcomeUnknown)
            state = replace(self.state, error=error, not_before=moment, may_be_accepted=is_unknown)
            self._note(state)
            if self.state.receipt is None:
                self._key.give_back(error)
            else:
                self._key.pause()
            self.outcome = Outcome(error=error)
        else:
            self._fail_for_good(error)

    def _fail_for_good(self, error: EmailError) -> None:
        self._forget()
        if self.state.receipt is None:
            self._give_up(error)
        else:
            self._conclude(self.state.receipt.refused_again(self._refusals(error)))

    def _max_retries(self, error: EmailError) -> int | None:
        """How often a mail is tried again of which nobody knows the outcome is a setting."""
        if isinstance(error, OutcomeUnknown) and self._settings.unknown_outcome == "keep":
            return 0
        return error.max_retries

    def _end(self, receipt: Receipt) -> None:
        """Note that a relay took the mail, for all or for some of its recipients."""
        if self.state.receipt is not None:
            receipt = self.state.receipt.followed_by(receipt)
        if receipt.deferred and self._run.retries_left():
            self._note(RetryState(receipt))
            self._key.pause()
            self.outcome = Outcome(error=outcome.deferral(receipt), message=self.message)
        else:
            self._conclude(receipt)

    def _conclude(self, receipt: Receipt) -> None:
        """Tell what became of the mail, and keep it for those who may be accepted later."""
        self.outcome = Outcome(receipt, message=self.message)
        self._key.record(receipt)
        if self.state is not NOTHING:
            self._forget()
        outcome.tell(receipt)
        if receipt.deferred and self._keeps:
            outcome.keep_for_deferred(self.message, receipt, self._settings)

    def _give_up(self, error: EmailError) -> None:
        kept = ""
        if self._keeps:
            kept = outcome.keep(self.message, error, self._settings, is_unknown=self.is_bound)
        message_id = self.message.message_id if kept else error.message_id
        error = error.copy(kept=kept, message_id=message_id, given_up=True)
        self._key.give_back(error)
        self.outcome = Outcome(error=error)
        emit_failure(error)

    def _complete(self, sender: Mailbox) -> Message:
        """Complete the draft, with the same Message-ID and Date on every try."""
        identity = self.identity
        self._message = self.draft.from_mailbox(
            sender, identity.seed, identity.composed_at, is_first=self._is_first
        )
        return self._message

    @cached_property
    def _is_first(self) -> bool:
        starts, thread = self.draft.starts_thread, self.draft.thread
        return starts and is_first(thread, self.identity.seed, self._settings)

    def _to_reach(self) -> Envelope:
        """Address those whom no earlier try reached."""
        bounces_to = self.relay.reverse_path if self.relay else None
        whole, reached = Envelope.of(self.message, bounces_to), self.state.receipt
        return whole if reached is None else whole.only_for(reached.deferred)

    def _note(self, state: RetryState) -> None:
        state = replace(state, run_id=self.identity.run_id)
        process_memory.of(RetryStates).note(self.identity.seed, state)

    def _forget(self) -> None:
        process_memory.of(RetryStates).forget(self.identity.seed)

    def _is_for_those_who_wait(self) -> bool:
        """Whether this mail has a recipient whom an earlier try of its key left for the next."""
        reached = self.state.receipt
        recipients = (*self.draft.to, *self.draft.cc, *self.draft.bcc)
        addresses = {mailbox.address for mailbox in recipients}
        return reached is None or bool(addresses & {*reached.deferred})

    def _refusals(self, error: EmailError) -> dict[str, Any]:
        """Tell whom the relay refused: the error only numbers Bcc recipients."""
        if not isinstance(error, RecipientsRefused):
            return {}
        addresses = (mailbox.address for mailbox in self._to_reach().forward_paths)
        return dict(zip(addresses, error.refusals.values(), strict=False))
