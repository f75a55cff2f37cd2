"""What the outbox knows of a message besides its text: the ``.json``."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.transports.outbox.copies import digest_of, says

_MAX_HISTORY = 10


class Happening(BaseModel):
    """Something that happened to a stored message."""

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime = Field(description="When, in UTC.")
    reason: str = Field(description="Why no relay had it after that.")


class Record(BaseModel):
    """The envelope of a stored message, why it is stored, and what a listing shows of it."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    version: Literal[1] = Field(default=1, description="Format of this file.")
    stored_at: AwareDatetime = Field(description="When it was stored, in UTC.")
    reason: str = Field(description="Why no relay has it.")
    message_id: str = Field(description="With its angle brackets.")
    subject: str = Field(description="For listings; the message has it too.")
    from_: str = Field(description="For listings; the message has it too.")
    size: int = Field(description="Bytes of the message.")
    requested_from: Mailbox | None = Field(description="The action's own From, or null.")
    requested_reverse_path: Mailbox | None = Field(
        default=None, description="The action's own reverse-path, or null."
    )
    reverse_path: Mailbox
    forward_paths: tuple[Mailbox, ...] = Field(min_length=1)
    bcc: tuple[Mailbox, ...] = Field(description="Those that no header may name.")
    categories: tuple[str, ...] = Field(
        default=(), description="Labels for a relay's statistics; no header has them."
    )

    may_be_accepted: bool = Field(
        default=False, description="Whether a relay got it, and its answer was lost."
    )
    idempotency_key: str = Field(
        default="", description="Claimed before it is submitted; empty where nothing is."
    )
    content: str = Field(
        default="", description="The same for mails that say the same; empty where that is unknown."
    )
    history: tuple[Happening, ...] = Field(
        default=(), description="What has happened to it since it was stored first."
    )
    turn: int = Field(default=0, description="Of the next claim.")

    @classmethod
    def of(
        cls,
        message: Message,
        envelope: Envelope,
        reason: str,
        size: int,
        *,
        may_be_accepted: bool = False,
    ) -> Record:
        """Write the record of a message that is stored now."""
        now, reason = datetime.now(UTC), _writable(reason)
        return cls(
            stored_at=now,
            reason=reason,
            message_id=message.message_id,
            subject=message.subject,
            from_=str(message.from_),
            size=size,
            requested_from=message.requested_from,
            requested_reverse_path=message.reverse_path,
            reverse_path=envelope.reverse_path,
            forward_paths=envelope.forward_paths,
            bcc=tuple(m for m in message.bcc if m in envelope.forward_paths),
            categories=message.categories,
            idempotency_key=message.idempotency_key,
            may_be_accepted=may_be_accepted,
            content=digest_of(message),
            history=(Happening(at=now, reason=reason),),
            # Drawn, so that a message that is stored anew meets no claim of its former self.
            turn=secrets.randbelow(2**32),
        )

    @classmethod
    def parse(cls, data: bytes, file: str) -> Record:
        """Read a record.

        Args:
            data: its JSON.
            file: the name of the file, for the error.

        Raises:
            MessageError: it is damaged, or of a newer format.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            raise MessageError(
                f"{file} is damaged or of a newer version ({_wrong(error)})",
                "Restore it, or update prefect-smtp-relay.",
            ) from error

    def data(self) -> bytes:
        """Write its JSON."""
        return self.model_dump_json(indent=1).encode()

    def described(self) -> dict[str, Any]:
        """What a `StoredMail` tells of it."""
        return {
            "stored_at": self.stored_at.astimezone(UTC),
            "reason": self.reason,
            "message_id": self.message_id,
            "subject": self.subject,
            "from_": self.from_,
            "recipients": len(self.forward_paths),
            "to": tuple(m.address for m in self.forward_paths if m not in self.bcc),
            "size": self.size,
            "says": self.says,
            "may_be_accepted": self.may_be_accepted,
        }

    @property
    def says(self) -> str:
        """What it says to whom; see `copies.says`."""
        return says(self.content, self.forward_paths)

    @property
    def envelope(self) -> Envelope:
        """Where the message still has to go."""
        return Envelope(self.reverse_path, self.forward_paths)

    def because(self, reason: str, *, may_be_accepted: bool = False) -> Record:
        """Return the same record with another reason."""
        may_be_accepted |= self.may_be_accepted  # a later failure does not undo it
        reason = _writable(reason)
        now = Happening(at=datetime.now(UTC), reason=reason)
        update = {"reason": reason, "may_be_accepted": may_be_accepted}
        return self.model_copy(update=update).after(self.history, (now,))

    def after(self, *histories: tuple[Happening, ...]) -> Record:
        """Return the same record with another history: its beginning, and the latest of it."""
        first, *others = chain(*histories)
        return self.model_copy(update={"history": (first, *others[1 - _MAX_HISTORY :])})

    def only_for(self, forward_paths: tuple[Mailbox, ...]) -> Record:
        """Return the same record for some of its recipients only: its key has a receipt."""
        addresses = {mailbox.address for mailbox in forward_paths}
        bcc = tuple(mailbox for mailbox in self.bcc if mailbox.address in addresses)
        update = {"forward_paths": forward_paths, "bcc": bcc, "idempotency_key": ""}
        return self.model_copy(update=update)


def _wrong(error: ValidationError) -> str:
    """Name what is wrong, without the values: they may be Bcc addresses."""
    return ", ".join(".".join(map(str, found["loc"])) or found["msg"] for found in error.errors())


def _writable(reason: str) -> str:
    """Replace what UTF-8 cannot write: a relay's reply or a path may hold undecodable bytes."""
    return reason.encode("utf-8", "replace").decode()
