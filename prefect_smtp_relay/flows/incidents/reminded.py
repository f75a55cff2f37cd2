"""Which incidents people were reminded of, and when: kept in a variable of Prefect."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from prefect.variables import Variable

from prefect_smtp_relay.flows.incidents.incident import Incident

_MAX_INCIDENTS = 120
"""A variable holds 5,000 characters. What is not in it is told again."""


class Reminded:
    """What was told by the reminder of a source to its recipients.

    Args:
        source, recipients: as of the reminder.
    """

    def __init__(self, source: str, recipients: Iterable[str]) -> None:
        self._variable = f"incident_reminder_{_digest(source, *sorted(recipients))}"
        self._told: dict[str, tuple[str, str]] = Variable.get(self._variable, default={})

    def is_news(self, incident: Incident, now: datetime, repeat_after: timedelta) -> bool:
        """Whether an incident was not told as it is now, or not for a long time."""
        told, moment = self._told.get(str(incident.number), ("", ""))
        return told != _state_of(incident) or now - datetime.fromisoformat(moment) >= repeat_after

    def note(self, told: Iterable[Incident], still_open: Iterable[Incident], now: datetime) -> None:
        """Keep what was told now, and forget what is over."""
        new = {str(each.number): (_state_of(each), now.isoformat("T", "minutes")) for each in told}
        known = self._told | new
        kept = [n for each in still_open if (n := str(each.number)) in known][:_MAX_INCIDENTS]
        if new or len(kept) < len(self._told):
            Variable.set(self._variable, {n: known[n] for n in kept}, overwrite=True)


def _state_of(incident: Incident) -> str:
    """What makes an incident worth another word; its age does not."""
    return _digest(incident.title, incident.severity, incident.status, incident.commander)


def _digest(*texts: str) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()[:8]
