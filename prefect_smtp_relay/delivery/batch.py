"""One try of many mails: one look-up of the relay, few connections, and no mail twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prefect_smtp_relay.delivery import hold, progress
from prefect_smtp_relay.delivery.attempt import Attempt
from prefect_smtp_relay.delivery.keys import (
    MOST_AT_ONCE,
    Claim,
    claiming,
    content_of,
    note_repeat,
)
from prefect_smtp_relay.delivery.routing import Relay, RelayInput, choose_relay, deliver_all
from prefect_smtp_relay.exceptions import EmailError, MailsNotAccepted
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.runtime.events import emit_failure
from prefect_smtp_relay.runtime.log import noting_interruption
from prefect_smtp_relay.runtime.run import Try
from prefect_smtp_relay.settings import SmtpRelaySettings

_MOST_TOLD = 3
_INTERRUPTED = (
    "Interrupted while %d mails were submitted: any of them may have been accepted. Look for them"
    " in the relay's log before sending them again."
)


class Batch:
    """The drafts of one task, each with what earlier tries reached.

    Args:
        drafts: the checked messages.
        settings: as of now.
        current: the try; each mail's origin follows from its own and from the mail's place.
    """

    def __init__(self, drafts: Sequence[Draft], settings: SmtpRelaySettings, current: Try) -> None:
        self._drafts = drafts
        self._settings = settings
        self._origin = current.origin
        self._is_last_try = current.is_last
        self._attempts = [self._begin(n, Claim(draft)) for n, draft in enumerate(drafts)]
        self._leaders = _leaders(drafts)
        self._receipts: dict[int, Receipt] = {}
        self._errors: dict[int, EmailError] = {}

    def deliver(self, requested: RelayInput, connections: int) -> list[Receipt]:
        """Deliver or keep each mail that no earlier try completed.

        Args:
            requested: the caller's ``relay=``.
            connections: how many at once.

        Returns:
            The receipts, in the order of the drafts.

        Raises:
            MailsNotAccepted: at least one was not; the next try goes to these only.
        """
        if waiting := self._sort_out():
            relay = self._choose(requested)
            if isinstance(relay, Relay):
                hold.wait((self._attempts[n].origin.seed for n in waiting), relay.name)
            for group in self._groups(waiting):
                self._submit_once(group, relay, connections)
        self._follow()
        return self._conclude()

    def _begin(self, number: int, claim: Claim) -> Attempt:
        origin = self._origin.of_part(number)
        return Attempt(claim, self._settings, origin, last_try=self._is_last_try)

    def _choose(self, requested: RelayInput) -> Relay | EmailError:
        try:
            return choose_relay(requested, self._settings)
        except EmailError as error:
            return error

    def _sort_out(self) -> list[int]:
        """Take over what earlier tries settled for good; the other mails wait for a relay."""
        waiting: list[int] = []
        for number, attempt in enumerate(self._attempts):
            if self._leaders[number] != number:
                continue
            if failure := progress.failures.recall(self._origin.of_part(number).seed):
                self._errors[number] = failure
            elif attempt.earlier is not None and not attempt.earlier.deferred:
                self._receipts[number] = attempt.earlier
            else:
                waiting.append(number)
        return waiting

    def _groups(self, waiting: Sequence[int]) -> Iterator[list[int]]:
        """The mails in their order, in parts of as many keys as may be held at once."""
        group: list[int] = []
        keys = 0
        for number in waiting:
            keys += bool(self._drafts[number].idempotency_key)
            if keys > MOST_AT_ONCE:
                yield group
                group, keys = [], 1
            group.append(number)
        yield group

    def _submit_once(
        self, group: Sequence[int], relay: Relay | EmailError, connections: int
    ) -> None:
        """Submit what was not accepted before under its key."""
        with claiming([self._drafts[number] for number in group]) as claims:
            waiting: dict[int, Attempt] = {}
            for number, claim in zip(group, claims, strict=True):
                # Another call may have got further before the key was held.
                attempt = self._attempts[number] = self._begin(number, claim)
                try:
                    if (receipt := attempt.recall()) is not None:
                        self._receipts[number] = receipt
                    else:
                        waiting[number] = attempt
                except EmailError as error:
                    self._fail(number, error)
            self._submit(waiting, relay, connections)

    def _submit(
        self, waiting: dict[int, Attempt], relay: Relay | EmailError, connections: int
    ) -> None:
        if not waiting:
            return
        if isinstance(relay, EmailError):
            for number in waiting:
                self._fail(number, relay.copy())
            return
        settled: dict[int, Attempt] = {}
        for number, attempt in waiting.items():
            try:
                attempt.settle(relay)
                settled[number] = attempt
            except EmailError as error:
                self._fail(number, error)
        mails = [(attempt.message, attempt.envelope) for attempt in settled.values()]
        with noting_interruption(_INTERRUPTED, len(mails)):
            results = deliver_all(mails, relay, connections)
        for number, result in zip(settled, results, strict=True):
            if isinstance(result, EmailError):
                self._fail(number, result)
            else:
                self._accept(number, result)

    def _accept(self, number: int, receipt: Receipt) -> None:
        try:
            self._receipts[number] = self._attempts[number].conclude(receipt)
        except EmailError as deferral:
            self._errors[number] = deferral

    def _fail(self, number: int, error: EmailError) -> None:
        try:
            self._receipts[number] = self._attempts[number].fail(error)
        except EmailError as failure:
            self._errors[number] = failure
            if self._is_last_try or not failure.transient:
                emit_failure(failure)

    def _follow(self) -> None:
        """Give a mail whose key an earlier one has, what became of that one."""
        for number, leader in enumerate(self._leaders):
            if leader == number:
                continue
            if leader in self._errors:
                self._errors[number] = self._errors[leader].copy()
                continue
            receipt = self._receipts[number] = self._receipts[leader]
            draft, first = self._drafts[number], self._drafts[leader]
            note_repeat(receipt, same=content_of(draft) == content_of(first))

    def _conclude(self) -> list[Receipt]:
        """Give the receipts, or the error of all; the next try has to know what is settled."""
        error = not_accepted(len(self._attempts), self._receipts, self._errors)
        is_tried_again = error.transient and not self._is_last_try
        for number, attempt in enumerate(self._attempts):
            seed = attempt.origin.seed
            if is_tried_again:
                self._note(number, seed)
            else:
                # What failed has left nothing; what is noted under its key is another call's.
                if number in self._receipts:
                    progress.forget(seed)
                progress.failures.forget(self._origin.of_part(number).seed)
        if self._errors:
            raise error
        return [self._receipts[number] for number in range(len(self._attempts))]

    def _note(self, number: int, seed: str) -> None:
        if receipt := self._receipts.get(number):
            progress.note(seed, receipt)
        elif not (failure := self._errors[number]).transient:
            # Under a key, too, only this run stops trying: another call begins anew.
            progress.failures.note(self._origin.of_part(number).seed, failure)


def _leaders(drafts: Sequence[Draft]) -> list[int]:
    """The place of the first mail with the same key, for each mail; without a key, its own."""
    first: dict[str, int] = {}
    return [
        first.setdefault(draft.idempotency_key, number) if draft.idempotency_key else number
        for number, draft in enumerate(drafts)
    ]


def not_accepted(
    count: int, receipts: Mapping[int, Receipt], errors: Mapping[int, EmailError]
) -> MailsNotAccepted:
    """Build the error of a batch; its text tells of the first failures, of alike ones once.

    Args:
        count: of all mails.
        receipts: of the accepted ones, by their place.
        errors: of the others, by their place.
    """
    errors = dict(sorted(errors.items()))
    places: dict[str, list[int]] = {}
    for number, error in errors.items():
        places.setdefault(str(error).rstrip("."), []).append(number)
    listed = [
        f"mails[{first}]" + f" and {len(alike)} like it" * bool(alike) + f": {text}"
        for text, (first, *alike) in places.items()
    ]
    if left := listed[_MOST_TOLD:]:
        listed[_MOST_TOLD:] = [f"{len(left)} more errors in `errors`"]
    text = f"{len(errors)} of {count} mails were not accepted. {'; '.join(listed)}."
    return MailsNotAccepted(text, dict(sorted(receipts.items())), errors)
