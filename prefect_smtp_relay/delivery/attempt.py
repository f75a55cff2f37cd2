"""One try of one mail: what it starts from, and what becomes of it when it succeeds or fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prefect_smtp_relay.delivery import hold, progress
from prefect_smtp_relay.delivery.keys import Claim
from prefect_smtp_relay.delivery.routing import (
    Origin,
    Relay,
    RelayInput,
    conclude,
    leave_unsettled,
    open_outbox,
    settle,
)
from prefect_smtp_relay.exceptions import (
    DeliveryRefused,
    EmailError,
    MessageError,
    ReceiptDamaged,
    RecipientsDeferred,
    RecipientsRefused,
)
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.settings import SmtpRelaySettings


class Attempt:
    """A try that goes only to those whom no earlier try reached.

    Args:
        claim: the checked message; its key is held until this try has ended.
        settings: as of now.
        origin: what stays the same on every try.
        last_try: whether a transient failure is given up, so that the mail is kept.
    """

    def __init__(
        self, claim: Claim, settings: SmtpRelaySettings, origin: Origin, *, last_try: bool
    ) -> None:
        self.origin = origin.of_key(claim.draft.idempotency_key)
        self.earlier = progress.recall(self.origin.seed)
        self._claim = claim
        self._draft = claim.draft
        self._settings = settings
        self._last_try = last_try
        self._message: Message | None = None

    @property
    def message(self) -> Message:
        """The message, completed once; where no relay was chosen, its From waits for one."""
        if self._message is None:
            self._message = leave_unsettled(self._draft, self._settings, self.origin)
        return self._message

    @property
    def envelope(self) -> Envelope:
        """To whom this try goes."""
        whole = Envelope.of(self.message)
        return whole if self.earlier is None else whole.only_for(self.earlier.deferred)

    def recall(self) -> Receipt | None:
        """Give the receipt of the whole mail, if another try or call has got it.

        Raises:
            ReceiptLookupFailed, ReceiptDamaged: as `Claim.recall`.
            MessageError: the key is that of a mail to others, which is not at its end.
        """
        if self.earlier is not None:
            if not self.earlier.deferred:
                return self.earlier
            recipients = (*self._draft.to, *self._draft.cc, *self._draft.bcc)
            if not {mailbox.address for mailbox in recipients} & {*self.earlier.deferred}:
                self.earlier = None  # of the other mail
                raise MessageError(
                    "idempotency_key: names a mail to other recipients, of whom some are tried"
                    " again now. Use a key that tells the two apart."
                )
        return self._claim.recall()

    def settle(self, requested: RelayInput | Relay) -> Relay:
        """Choose the relay, and settle who the mail is from.

        Raises:
            EmailError: in a text that says what to change; or the relay asked to wait longer.
        """
        relay, self._message = settle(self._draft, requested, self._settings, self.origin)
        hold.check(self.origin.seed, relay.name)
        return relay

    def conclude(self, receipt: Receipt) -> Receipt:
        """Note that a relay took the mail; tell of it, unless some recipients are tried again.

        Args:
            receipt: of this try.

        Returns:
            The receipt of all tries.

        Raises:
            RecipientsDeferred: the next try goes to those whom the relay may take later.
        """
        return self._end(receipt if self.earlier is None else self.earlier.followed_by(receipt))

    def fail(self, error: EmailError) -> Receipt:
        """Note what stood against the mail; keep it if nobody has it and nobody tries again.

        Returns:
            The receipt of the earlier tries, where some recipients were accepted in them.

        Raises:
            EmailError: the error, where nobody was.
        """
        is_final = self._last_try or not error.transient
        if is_final:
            hold.forget(self.origin.seed)
        else:
            hold.note(self.origin.seed, error)
        if self.earlier is not None and is_final:
            refusals: Iterable[Any] = (
                error.refusals.values() if isinstance(error, RecipientsRefused) else ()
            )
            # The error numbers Bcc recipients; all were refused, in the envelope's order.
            addresses = (mailbox.address for mailbox in self.envelope.forward_paths)
            return self._end(
                self.earlier.refused_again(dict(zip(addresses, refusals, strict=False)))
            )
        if is_final and not isinstance(error, (MessageError, DeliveryRefused, ReceiptDamaged)):
            self._keep(error)
        raise error

    def _end(self, receipt: Receipt) -> Receipt:
        hold.forget(self.origin.seed)
        if receipt.deferred and not self._last_try:
            progress.note(self.origin.seed, receipt)
            raise _deferral(receipt)
        self._claim.record(receipt)
        progress.forget(self.origin.seed)
        conclude(receipt)
        if receipt.deferred:
            self._keep_for_the_deferred(receipt)
        return receipt

    def _keep(self, error: EmailError) -> None:
        """Store what failed for good: losing it as well would be worse than a second failure."""
        error.message_id = self.message.message_id
        if path := self._store(Envelope.of(self.message), str(error)):
            error.kept = path
            run_logger().error(
                "The mail was not accepted. It is stored as %s; `prefect-smtp-relay outbox flush`"
                " submits it again.",
                path,
            )

    def _keep_for_the_deferred(self, receipt: Receipt) -> None:
        """Store a mail that some have, for those whom the relay may take later."""
        envelope = Envelope.of(self.message).only_for(receipt.deferred)
        refusal = receipt.all_refused[receipt.deferred[0]]
        if path := self._store(envelope, f"deferred: {refusal}"):
            run_logger().info(
                "For the %d recipients who may be accepted later, the mail is stored as %s;"
                " `prefect-smtp-relay outbox flush` submits it again, to them only.",
                len(envelope.forward_paths),
                path,
            )

    def _store(self, envelope: Envelope, reason: str) -> str:
        try:
            return str(open_outbox(self._settings).keep(self.message, envelope, reason))
        except EmailError as storing:
            run_logger().error("The mail was not accepted, and could not be stored: %s", storing)
            return ""


def _deferral(receipt: Receipt) -> RecipientsDeferred:
    accepted = len(receipt.accepted) + receipt.bcc_accepted
    refusals = [f"{a}: {why}" for a, why in receipt.refused.items() if why.transient]
    error = RecipientsDeferred(
        receipt.transport,
        f"{accepted} recipients were accepted, {len(receipt.deferred)} are to be tried again"
        f" ({'; '.join(refusals) or 'in Bcc'}). The next try goes to these only.",
        stage="RCPT",
    )
    error.relay, error.message_id = receipt.relay, receipt.message_id
    return error
