"""The key of one mail, from its claim to its receipt; nothing for a mail without a key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from prefect_smtp_relay.delivery.claim import Claim, Record
from prefect_smtp_relay.delivery.identity import hash_of_key
from prefect_smtp_relay.delivery.keys import Keys, content_of
from prefect_smtp_relay.exceptions import EmailError, OutcomeUnknown
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.mail.receipt import Receipt


class MailKey:
    """The key of one mail in one try.

    Args:
        draft: the mail.
    """

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._keys: Keys | None = None
        self._claim: Claim | None = None
        self._unknown: OutcomeUnknown | None = None

    def claim(self, keys: Keys) -> Record | None:
        """Claim the key; return what is there instead: a receipt, or somebody else's claim.

        Raises:
            EmailError: as `Claim.of`; that nobody knows what became of the mail is told by
                `check`, when the message is complete and has its Message-ID.
        """
        try:
            found = keys.claim(hash_of_key(self._draft.idempotency_key))
        except OutcomeUnknown as error:
            self._unknown = error
            return None
        if isinstance(found, Record):
            return found
        self._keys, self._claim = keys, found
        return None

    @property
    def may_be_accepted(self) -> bool:
        """Whether nobody knows what became of the mail that was submitted under the key before."""
        return self._claim is not None and self._claim.place != self._claim.name

    def check(self) -> None:
        """Make sure that the mail may be submitted, right before it is.

        Raises:
            OutcomeUnknown: it may have been accepted, and the setting says that it is kept.
            TransientFailure: another process may have taken the key over.
        """
        if self._unknown is not None:
            raise self._unknown
        if self._claim is not None:
            self._claim.check()

    def record(self, receipt: Receipt) -> None:
        """Put the receipt in the place of the claim, beside the submission of other mails."""
        self._end(lambda claim: claim.record(receipt, content_of(self._draft)))

    def give_back(self, error: EmailError) -> None:
        """Say that the mail was not accepted, or, as the error tells, that nobody knows."""
        self._end(Claim.leave if isinstance(error, OutcomeUnknown) else Claim.release)

    def pause(self) -> None:
        """Keep the key for the next try in this process: some recipients have the mail."""
        claim, self._claim = self._claim, None
        if claim is not None:
            claim.pause()

    def close(self, *, is_begun: bool) -> None:
        """Give back what is left: the delivery was broken off.

        Args:
            is_begun: whether the mail may have been submitted.
        """
        claim, self._claim = self._claim, None
        if claim is not None and is_begun:
            claim.leave()
        elif claim is not None:
            claim.release()

    def _end(self, end: Callable[[Claim], None]) -> None:
        claim, self._claim = self._claim, None
        if claim is not None and self._keys is not None:
            self._keys.end(partial(end, claim))
