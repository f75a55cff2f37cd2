"""Claims: a summary is sent by one process, and by the next one where that died.

A claim is a Variable, and so is who takes it over: each has the number after the last one's, which
can be created once. It says up to when failures are in its summary, and whether that was mailed:
who takes over sends the same mail, or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from prefect_smtp_relay.notifications.grouping import variables
from prefect_smtp_relay.notifications.grouping.group import Group
from prefect_smtp_relay.notifications.grouping.variables import Variable

_LEASE = timedelta(minutes=3)
"""Longer than a summary takes: some ten seconds, and what a relay takes to answer."""


@dataclass(frozen=True)
class Claim:
    """What this process sends.

    Args:
        variable: the claim.
        cutoff: what was counted later is for the next summary.
        is_mailed: whether another process has mailed it, and died.
    """

    variable: Variable
    cutoff: datetime
    is_mailed: bool

    def note_mailed(self) -> None:
        """Note that the mail went out, so that nobody sends it again."""
        variables.update(self.variable, mailed=True)


def take(group: Group, now: datetime) -> Claim | None:
    """Claim a group, or take over what a dead process has claimed.

    Returns:
        None where another process is sending.
    """
    last = max(group.claims, key=_number, default=None)
    if last and now < datetime.fromisoformat(last.value["until"]):
        return None
    earlier = last.value if last else {}
    name = f"{group.key}claim-{_number(last) + 1 if last else 1}"
    cutoff = earlier.get("cutoff") or (last and last.created.isoformat())
    until = (now + _LEASE).isoformat()
    value = {"cutoff": cutoff, "mailed": earlier.get("mailed", False), "until": until}
    if not variables.create(name, value) or not (claim := variables.read(name)):
        return None
    since = datetime.fromisoformat(cutoff) if cutoff else claim.created
    return Claim(claim, since, is_mailed=value["mailed"])


def release(group: Group, claim: Claim) -> None:
    """Remove a claim and those before it, itself at the end: without it others count afresh."""
    ours = _number(claim.variable)
    for each in sorted((*group.claims, claim.variable), key=_number):
        if _number(each) <= ours:
            variables.delete(each)


def _number(claim: Variable) -> int:
    return int(claim.name.rpartition("-")[2])
