"""Claims: of all flushes on all hosts, one submits a message.

A record has a turn, a number. Who creates the claim of that turn may submit the message; a claim
whose owner died is taken over by creating that of the next turn. Who is done writes a higher turn
into the record before the claims go. So no turn comes twice, and a flush that had read an older
record sees after its create that it came too late.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.spool import Spool

CLAIM = ".claim"


class Owner(BaseModel):
    """Whose a claim is.

    Args:
        lease: of the process.
        token: makes each claim unlike all others.
        handed_over: whether the submission has begun: a relay may have accepted the message.
    """

    model_config = ConfigDict(frozen=True)

    lease: str
    token: str
    handed_over: bool = False


@dataclass(frozen=True)
class Claim:
    """A message that this process alone submits.

    Args:
        entry_id: of the entry.
        first: the turn of the record.
        turn: of the claim; higher than the first where others died before.
        owner: this process.
        was_handed_over: whether one of them had begun to submit it.
    """

    entry_id: str
    first: int
    turn: int
    owner: Owner
    was_handed_over: bool


class Claims:
    """The claims in a spool.

    Args:
        spool: which has the entries, too.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def take(
        self, entry_id: str, first: int, lease_id: str, is_dead: Callable[[str], bool]
    ) -> Claim | None:
        """Claim an entry; a claim whose owner died is taken over.

        Args:
            entry_id: of the entry.
            first: the turn of its record.
            lease_id: of this process.
            is_dead: tells whether a lease has ended.

        Returns:
            None where another process has it, or had it meanwhile.
        """
        turn, was_handed_over = first, False
        owner = Owner(lease=lease_id, token=secrets.token_hex(8))
        while not self._spool.create(claim_key(entry_id, turn), _data(owner)):
            found = self.owner(entry_id, turn)
            if found is None or not is_dead(found.lease):
                return None
            was_handed_over |= found.handed_over
            turn += 1
        return Claim(entry_id, first, turn, owner, was_handed_over)

    def owner(self, entry_id: str, turn: int) -> Owner | None:
        """Return who has a turn, or None where nobody has.

        Raises:
            MessageError: the claim is damaged.
        """
        key = claim_key(entry_id, turn)
        data = self._spool.read(key)
        try:
            return None if data is None else Owner.model_validate_json(data)
        except ValidationError as error:
            raise MessageError(f"{self._spool.name}/{key} is damaged", "Delete it.") from error

    def hand_over(self, claim: Claim) -> None:
        """Note that from now on a relay may accept the message.

        Raises:
            TransientFailure: this process may be taken for dead, and its claim be taken over.
        """
        handed_over = claim.owner.model_copy(update={"handed_over": True})
        self._spool.replace(claim_key(claim.entry_id, claim.turn), _data(handed_over), durable=True)
        self._spool.lease.check(claim.owner.lease)

    def is_taken_over(self, claim: Claim) -> bool:
        """Whether another process took this one for dead."""
        return self._spool.read(claim_key(claim.entry_id, claim.turn + 1)) is not None

    def drop(self, claim: Claim) -> None:
        """Remove a claim, and those of the dead before it, once the record has a higher turn."""
        for turn in range(claim.first, claim.turn + 1):
            self._spool.delete(claim_key(claim.entry_id, turn))


def claim_key(entry_id: str, turn: int) -> str:
    """Where the claim of a turn is."""
    return f"outbox/{entry_id}.{turn}{CLAIM}"


def _data(owner: Owner) -> bytes:
    return owner.model_dump_json().encode()
