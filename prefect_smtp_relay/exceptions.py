"""Every error that this package raises, and what each one means.

::

    EmailError
    |- MessageError(ValueError)       the caller's fault, never retried
    |  |- InvalidMailbox              an address that is no address
    |  |- InvalidHeader               a header that may not be set, or holds CR, LF or NUL
    |  |- InvalidTemplate             a template, or the context for it, that cannot be filled in
    |  |- NoRecipients                nobody in to, cc and bcc
    |  |- AttachmentError             a file that is missing, unreadable or has no name
    |  |- MessageTooLarge             more bytes than the relay or the setting takes
    |  |- ProtectedDomain             a sender in one of the setting's protected_domains
    |  |- RecipientNotAllowed         a recipient who is not in the setting's allowed_recipients
    |  `- UnsupportedFeature          something that the chosen relay cannot express
    |- RelayConfigurationError        a wrong block or setting, never retried
    |  |- CleartextRefused            a password would have crossed the network unencrypted
    |  |- InvalidField(ValueError)    a block field or setting that its check refuses
    |  |- UnknownRelay                relay="..." names no block document
    |  |- NoSender                    no From address anywhere
    |  `- DeliveryRefused             nothing is connected, and default_delivery is "refuse"
    |- RelayLookupFailed              the Prefect API could not be asked; retried
    |- ReceiptLookupFailed            the spool could not be asked about a key; retried
    |- ReceiptDamaged                 what it holds of a key is no receipt; never retried
    |- InternalError                  something that this package did not foresee; never retried
    |- MailsNotAccepted               some of many; transient if trying again may help one of them
    `- DeliveryError                  the relay did not take the message; has .transient
       |- TransientFailure            4yz, HTTP 429 or 5xx: the same message may pass later
       |  |- ConnectionFailed         nothing was handed over
       |  |  `- UnknownHost           there is no such host; tried again twice at most
       |  |- TimedOut                 nothing was handed over
       |  `- RecipientsDeferred       some were accepted; the others are tried again, alone
       |- PermanentFailure            5yz, HTTP 4xx: the same message will fail again
       |  |- AuthenticationFailed     the relay does not accept the credentials
       |  `- TlsFailed                no TLS connection of the wanted kind
       |- RecipientsRefused           every recipient was refused; transient if all were 4yz
       `- OutcomeUnknown              the reply was lost after the message was handed over

Every error answers "try again?" with ``transient``, says what to change, is complete when it is
made, survives a pickle, and holds no secret. `EmailError.copy` adds what a layer above knows.
"""

from __future__ import annotations

import copy
import difflib
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that a misspelt one resembles, or an empty text."""
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1)), "")


class RefusalReason(Protocol):
    """What an error needs to know of a `prefect_smtp_relay.Refusal`."""

    @property
    def code(self) -> int:
        """SMTP reply code, or HTTP status."""

    @property
    def enhanced_code(self) -> str:
        """Enhanced status code of RFC 3463, or empty."""

    @property
    def transient(self) -> bool:
        """Whether the relay said to try again later."""


class EmailError(Exception):
    """Base of everything this package raises on purpose.

    Args:
        problem: what is wrong, or what happened.
        fix: what to change, as a sentence.
        field: the argument, block field or setting that it is about.
        relay: ``smtp/NAME`` or ``sendgrid/NAME``, where the mail came as far as a relay.
        message_id: of the mail, once it has one.
        kept: the mail's entry in the outbox, where it was given up and stored.
        retry_after: how many seconds the relay wants to wait before the next try.
        given_up: whether nobody tries again, although it is transient.
    """

    max_retries: ClassVar[int | None] = None
    """How often the same mail is tried again after it; None: as often as the task says."""

    nothing_handed_over: bool = False
    """Whether it is certain that the relay has nothing of the mail, and refused neither the mail
    nor a recipient: another relay may take it."""

    _passes: ClassVar[bool] = False

    def __init__(
        self,
        problem: str = "",
        fix: str = "",
        *,
        field: str = "",
        relay: str = "",
        message_id: str = "",
        kept: str = "",
        retry_after: float | None = None,
        given_up: bool = False,
    ) -> None:
        super().__init__(problem, fix)
        self.problem = problem
        self.fix = fix
        self.field = field
        self.relay = relay
        self.message_id = message_id
        self.kept = kept
        self.retry_after = retry_after
        self.given_up = given_up

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed later without a change by anybody."""
        return self._passes

    def copy(self, **changes: Any) -> Self:
        """Copy the error for another mail, or with what a layer above knows.

        Args:
            changes: new values of its attributes, such as ``relay`` or ``field``.
        """
        copied = copy.copy(self)
        copied.__cause__ = self.__cause__
        copied.__dict__ |= changes
        return copied

    def within(self, place: str) -> Self:
        """Copy the error with the place that its field is in, such as ``mails[3]``."""
        return self.copy(field=f"{place}: {self.field}" if self.field else place)

    @property
    def problem_in_field(self) -> str:
        """What is wrong, and where, without the fix."""
        return f"{self.field}: {self.problem}" if self.field else self.problem

    def __str__(self) -> str:
        text = self.problem_in_field
        return f"{text.rstrip('.')}. {self.fix}" if self.fix else text

    def __repr__(self) -> str:
        """Read as a sentence: Prefect logs it between two tries."""
        return f"{type(self).__name__}: {self}"


class MessageError(EmailError, ValueError):
    """The message cannot be sent as the caller wrote it."""


class InvalidTemplate(MessageError):
    """A template is malformed, names what is missing, or does too much."""


class InvalidMailbox(MessageError):
    """An address is not a mailbox of RFC 5321, section 4.1.2."""


class InvalidHeader(MessageError):
    """A header field is reserved, malformed, or would break out of its line."""


class NoRecipients(MessageError):
    """There is no address in to, cc and bcc."""


class AttachmentError(MessageError):
    """An attachment or inline image cannot be read or named."""


class MessageTooLarge(MessageError):
    """The message has more bytes than the relay takes (RFC 1870), or than the setting permits."""


class ProtectedDomain(MessageError):
    """A sender address is in one of the ``protected_domains``."""


class RecipientNotAllowed(MessageError):
    """A recipient is not in ``allowed_recipients``; nobody got the mail."""


class UnsupportedFeature(MessageError):
    """The chosen relay cannot express a part of the message."""


class RelayConfigurationError(EmailError):
    """A block document or a setting is wrong; the text says which field and what to set."""


class InvalidField(RelayConfigurationError, ValueError):
    """A value is not one for its field; Pydantic reports it with the field's name."""


class CleartextRefused(RelayConfigurationError):
    """Authentication was refused because the connection is not encrypted."""


class UnknownRelay(RelayConfigurationError):
    """No block document has the name that ``relay=`` asked for."""


class NoSender(RelayConfigurationError):
    """Neither the action, the block nor the settings name a From address."""


class DeliveryRefused(RelayConfigurationError):
    """No relay is connected and ``default_delivery`` is ``refuse``."""


class RelayLookupFailed(EmailError):
    """The Prefect API could not say which relays are connected."""

    _passes = True


class ReceiptLookupFailed(EmailError):
    """The spool could not say whether a mail of this key was accepted before."""

    _passes = True


class ReceiptDamaged(EmailError):
    """A mail of this key was submitted before, and its receipt cannot be read any more."""


class InternalError(EmailError):
    """Something that this package did not foresee; the mail is kept, and its cause is attached."""

    @classmethod
    def of(cls, cause: Exception) -> InternalError:
        """Build the error; its text names the place, and nothing that a value could hold."""
        frames = traceback.extract_tb(cause.__traceback__)
        place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
        error = cls(
            f"unexpected {type(cause).__name__}{place}",
            "This is a defect of prefect-smtp-relay: please report it with its traceback.",
        )
        error.__cause__ = cause
        return error


class MailsNotAccepted(EmailError):
    """Of many mails, some were not accepted; a retry submits only these.

    Args:
        text: what happened.
        receipts: of the accepted ones, by their place.
        errors: of the others, by their place.
    """

    def __init__(
        self,
        text: str,
        receipts: Mapping[int, Any] | None = None,
        errors: Mapping[int, EmailError] | None = None,
    ) -> None:
        self.receipts = dict(receipts or {})
        self.errors = dict(errors or {})
        waits = (error.retry_after for error in self.errors.values())
        wait = max((wait for wait in waits if wait is not None), default=None)
        ended = all(each.given_up or not each.transient for each in self.errors.values())
        super().__init__(text, retry_after=wait, given_up=ended)
        self.args = (text, self.receipts, self.errors)

    @property
    def transient(self) -> bool:
        """Whether the next try may bring one of them through."""
        return any(error.transient for error in self.errors.values())


class DeliveryError(EmailError):
    """A relay did not take the message.

    Args:
        transport: loggable name of the transport, for example ``smtp://mx.example.org:587``.
        detail: what happened, in the relay's words where it spoke, and what to change.
        code: the SMTP reply code or HTTP status, where one was received.
        enhanced_code: the enhanced status code of RFC 3463, for example ``5.7.8``.
        stage: the step of the session that failed, for example ``AUTH``.
        retry_after: how many seconds the relay wants to wait before the next try.
        nothing_handed_over: see `EmailError`.
    """

    def __init__(
        self,
        transport: str,
        detail: str = "",
        code: int | None = None,
        enhanced_code: str = "",
        stage: str = "",
        *,
        retry_after: float | None = None,
        nothing_handed_over: bool = False,
    ) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.args = (transport, detail, code, enhanced_code, stage)
        self.transport = transport
        self.detail = detail
        self.code = code
        self.enhanced_code = enhanced_code
        self.stage = stage
        self.nothing_handed_over = nothing_handed_over

    def __str__(self) -> str:
        stage = f" ({self.stage})" if self.stage else ""
        # An unsaved block has no name, only the kind of one.
        block = f"{self.relay}, " if "/" in self.relay else ""
        text = f"{self.transport}{stage}: {self.detail}" if self.detail else self.transport
        return f"{block}{text}"


class TransientFailure(DeliveryError):
    """The relay may take the same message later."""

    _passes = True


class ConnectionFailed(TransientFailure):
    """No connection, or it was lost before the message was submitted."""


class UnknownHost(ConnectionFailed):
    """DNS knows no such host: a typo more often than an outage of DNS."""

    max_retries = 2


class TimedOut(TransientFailure):
    """The relay did not answer in time, before the message was submitted."""


class RecipientsDeferred(TransientFailure):
    """Some recipients were accepted; the next try goes to the others, and to nobody else."""


class PermanentFailure(DeliveryError):
    """The relay will refuse the same message again."""


class AuthenticationFailed(PermanentFailure):
    """The relay does not accept the credentials or the mechanism."""


class TlsFailed(PermanentFailure):
    """The wanted encryption could not be set up."""


class OutcomeUnknown(DeliveryError):
    """The message was submitted, and the answer was lost: it may have been accepted.

    RFC 5321, section 4.2.5, leaves the responsibility with the client until the reply is
    there, so the send is tried again, with the same Message-ID: that may send a second copy,
    not trying may lose the mail.
    """

    max_retries = 2
    _passes = True


class RecipientsRefused(DeliveryError):
    """Every recipient was refused; nothing was accepted.

    Args:
        transport: loggable name of the transport.
        refusals: the relay's answer for each address; the first one's codes are the error's.
        fix: what to change, as the answers say.
    """

    def __init__(
        self, transport: str, refusals: Mapping[str, RefusalReason] | None = None, fix: str = ""
    ) -> None:
        self.refusals = dict(refusals or {})
        listed = "; ".join(f"{address}: {refusal}" for address, refusal in self.refusals.items())
        detail = (
            f"every recipient was refused: {listed.rstrip('.')}. {fix}".rstrip() if listed else ""
        )
        super().__init__(transport, detail, stage="RCPT" if listed else "")
        self.args = (transport, self.refusals, fix)
        if self.refusals:
            first = next(iter(self.refusals.values()))
            self.code, self.enhanced_code = first.code, first.enhanced_code

    @property
    def transient(self) -> bool:
        """True only if every refusal is a 4yz reply."""
        return bool(self.refusals) and all(r.transient for r in self.refusals.values())
