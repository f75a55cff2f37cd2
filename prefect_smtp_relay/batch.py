"""One try of many mails: one look-up of the relay, few connections, and no mail twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prefect_smtp_relay import hold, progress
from prefect_smtp_relay.attempt import Attempt
from prefect_smtp_relay.events import emit_failure
from prefect_smtp_relay.exceptions import EmailError, MailsNotAccepted
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.run_log import noting_interruption
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.submission import Relay, RelayInput, choose_relay, deliver_all
from prefect_smtp_relay.task_run import Try

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
        self._settings = settings
        self._is_last_try = current.is_last
        self._attempts = [
            Attempt(draft, settings, current.origin.of_part(number), last_try=current.is_last)
            for number, draft in enumerate(drafts)
        ]
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
            try:
                relay = choose_relay(requested, self._settings)
            except EmailError as error:
                for number in waiting:
                    self._fail(number, error.twin())
            else:
                self._submit(waiting, relay, connections)
        return self._conclude()

    def _sort_out(self) -> dict[int, Attempt]:
        """Take over what earlier tries settled for good; the other mails wait for a relay."""
        waiting: dict[int, Attempt] = {}
        for number, attempt in enumerate(self._attempts):
            if failure := progress.failures.recall(attempt.origin.seed):
                self._errors[number] = failure
            elif attempt.earlier is not None and not attempt.earlier.deferred:
                self._receipts[number] = attempt.earlier
            else:
                waiting[number] = attempt
        return waiting

    def _submit(self, waiting: dict[int, Attempt], relay: Relay, connections: int) -> None:
        settled: dict[int, Attempt] = {}
        for number, attempt in waiting.items():
            try:
                attempt.settle(relay)
                settled[number] = attempt
            except EmailError as error:
                self._fail(number, error)
        hold.observe((attempt.origin.seed for attempt in settled.values()), relay.name)
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

    def _conclude(self) -> list[Receipt]:
        """Give the receipts, or the error of all; the next try has to know what is settled."""
        error = not_accepted(len(self._attempts), self._receipts, self._errors)
        is_tried_again = error.transient and not self._is_last_try
        for number, attempt in enumerate(self._attempts):
            seed = attempt.origin.seed
            if is_tried_again:
                self._note(number, seed)
            else:
                progress.forget(seed)
                progress.failures.forget(seed)
        if self._errors:
            raise error
        return [self._receipts[number] for number in range(len(self._attempts))]

    def _note(self, number: int, seed: str) -> None:
        if receipt := self._receipts.get(number):
            progress.note(seed, receipt)
        elif not (failure := self._errors[number]).transient:
            progress.failures.note(seed, failure)


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
