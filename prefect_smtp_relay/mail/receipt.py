"""What every delivery returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from prefect_smtp_relay.exceptions import RecipientsRefused
from prefect_smtp_relay.mail.message import Message

Outcome = Literal["accepted", "stored"]


class Refusal(BaseModel):
    """A relay's refusal of one recipient, in its own words."""

    model_config = ConfigDict(frozen=True)

    code: int = Field(description="SMTP reply code, for example 550.")
    enhanced_code: str = Field(
        default="", description="Enhanced status code of RFC 3463, or empty."
    )
    text: str = Field(default="", description="The relay's text.")

    @property
    def transient(self) -> bool:
        """Whether the relay said to try again later (4yz, RFC 5321 section 4.2.1)."""
        return 400 <= self.code < 500

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced_code, self.text) if part)


class PassedOver(BaseModel):
    """A relay that goes before the one which took the mail, and that was given nothing of it."""

    model_config = ConfigDict(frozen=True)

    relay: str = Field(description='"smtp/NAME" or "sendgrid/NAME".')
    error: str = Field(description="The error's class, for example ConnectionFailed.")
    reason: str = Field(description="The error's text.")


class Receipt(BaseModel):
    """Who took which message, for whom; a plain value that survives JSON and pickle.

    ``accepted`` means that the relay took the responsibility, not that a mailbox has the
    message; ``stored`` means that it waits in the outbox. Bcc addresses are not listed.
    """

    model_config = ConfigDict(frozen=True)

    message_id: str = Field(description="Our Message-ID, with its angle brackets.")
    relay: str = Field(default="", description='"smtp/NAME", "sendgrid/NAME" or "outbox".')
    failed_over_from: tuple[PassedOver, ...] = Field(
        default=(), description="Relays that go before this one, and why they were passed over."
    )
    transport: str = Field(description='Where it went, for example "smtp://mx.example.org:587".')
    outcome: Outcome = Field(description="Who has it now: the relay, or the outbox.")
    accepted: tuple[str, ...] = Field(default=(), description="Visible recipients the relay took.")
    refused: dict[str, Refusal] = Field(
        default_factory=dict, description="Visible recipients the relay refused, and why."
    )
    bcc_accepted: int = Field(default=0, description="How many Bcc recipients the relay took.")
    bcc_refused: int = Field(default=0, description="How many Bcc recipients the relay refused.")
    response: str = Field(
        default="", description="The relay's final words, often with its queue id."
    )
    provider_id: str = Field(
        default="", description="The relay's own id of the message, where it has one."
    )
    left_out: tuple[str, ...] = Field(
        default=(), description="Bad data that is not in the mail: recipients, control characters."
    )
    size: int = Field(description="Bytes that were handed over.")
    submitted_at: datetime = Field(description="When the relay answered, in UTC.")

    _blind_refused: dict[str, Refusal] = PrivateAttr(default_factory=dict)

    @property
    def all_refused(self) -> dict[str, Refusal]:
        """Everybody whom the relay refused; Bcc recipients only in the process that asked it."""
        return self.refused | self._blind_refused

    @property
    def deferred(self) -> tuple[str, ...]:
        """Those of `all_refused` whom the relay may take later (4yz)."""
        return tuple(address for address, why in self.all_refused.items() if why.transient)

    def followed_by(self, later: Receipt) -> Receipt:
        """Join the receipt of another try, for those whom this one deferred."""
        retried = set(self.deferred)
        blind = {a: why for a, why in self._blind_refused.items() if a not in retried}
        blind |= later._blind_refused
        refused = {a: why for a, why in self.refused.items() if a not in retried}
        joined = later.model_copy(
            update={
                "accepted": self.accepted + later.accepted,
                "refused": refused | later.refused,
                "bcc_accepted": self.bcc_accepted + later.bcc_accepted,
                "bcc_refused": len(blind),
                "response": "; ".join(filter(None, [self.response, later.response])),
            }
        )
        joined._blind_refused = blind  # noqa: SLF001  # of its own class
        return joined

    def refused_again(self, refusals: Mapping[str, Refusal]) -> Receipt:
        """Note what another try brought for some of `all_refused`."""
        known = {a: why for a, why in refusals.items() if a in self.refused}
        again = self.model_copy(update={"refused": self.refused | known})
        blind = {a: refusals.get(a, why) for a, why in self._blind_refused.items()}
        again._blind_refused = blind  # noqa: SLF001  # of its own class
        return again

    def __eq__(self, other: object) -> bool:
        """Compare what is shown: a copy that went through JSON or a pickle is equal."""
        return isinstance(other, Receipt) and self.__dict__ == other.__dict__

    def __getstate__(self) -> dict[Any, Any]:
        """Leave the addresses of Bcc recipients out of a pickle."""
        return {**super().__getstate__(), "__pydantic_private__": {"_blind_refused": {}}}

    @classmethod
    def for_message(
        cls,
        message: Message,
        *,
        transport: str,
        outcome: Outcome,
        accepted: Iterable[str],
        refused: Mapping[str, Refusal] | None = None,
        **details: Any,
    ) -> Receipt:
        """Write the receipt of one delivery, without the addresses of Bcc recipients.

        Args:
            message: what was delivered.
            transport: the transport's loggable name.
            outcome: ``accepted`` or ``stored``.
            accepted: the addresses that were taken.
            refused: the relay's answer for each address that was not.
            details: any of ``response``, ``provider_id`` and ``size``.
        """
        accepted, refused = tuple(accepted), refused or {}
        visible = {mailbox.address for mailbox in message.visible_recipients}
        shown = tuple(address for address in accepted if address in visible)
        shown_refused = {a: refusal for a, refusal in refused.items() if a in visible}
        receipt = cls(
            message_id=message.message_id,
            transport=transport,
            outcome=outcome,
            accepted=shown,
            refused=shown_refused,
            bcc_accepted=len(accepted) - len(shown),
            bcc_refused=len(refused) - len(shown_refused),
            left_out=message.left_out,
            submitted_at=datetime.now(UTC),
            **details,
        )
        if len(refused) > len(shown_refused):
            receipt._blind_refused = {a: why for a, why in refused.items() if a not in visible}
        return receipt


def recipients_refused(
    transport: str,
    message: Message,
    refusals: Mapping[str, Refusal],
    fix: str = "Check the addresses.",
) -> RecipientsRefused:
    """Build the error of a mail that nobody got, without the addresses of Bcc recipients.

    Args:
        transport: the transport's loggable name.
        message: what was refused.
        refusals: the relay's answer for each address; Bcc recipients are only numbered.
        fix: what to change, as the answers say.
    """
    visible = {mailbox.address for mailbox in message.visible_recipients}
    return RecipientsRefused(
        transport,
        {
            address if address in visible else f"Bcc recipient {number}": refusal
            for number, (address, refusal) in enumerate(refusals.items(), start=1)
        },
        fix,
    )
