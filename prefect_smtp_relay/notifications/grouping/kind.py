"""A kind of failure: what fails, why, and who is told."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

PREFIX = "smtp-relay-"


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One failure.

    Args:
        id: names it: a run may fail again.
        name: of the run, or what else people know it by.
        at: when it failed, in ISO 8601 with a time zone.
        began: when it was to start; the list of runs in Prefect's UI is filtered by that.
        url: its page in Prefect's UI, or empty.
    """

    id: str
    name: str
    at: str
    began: str = ""
    url: str = ""

    @property
    def moment(self) -> datetime:
        """When it was."""
        return datetime.fromisoformat(self.at)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What failures have in common that become one mail; plain values, without addresses.

    Args:
        subject: what fails, for example the flow and its deployment: it can recover.
        name: of the flow, task or block, for people.
        cause: why, in one line.
        cause_kind: the same for causes that differ in numbers and ids only.
        recipients: refers to who is told, as `recipients.keep` returns it.
        within_seconds: how long further failures are counted.
        state: the name of the runs' last one; empty where no run is known.
        flow_id, deployment_id: whose runs they are, or empty.
    """

    subject: tuple[str, ...]
    name: str
    cause: str
    cause_kind: str
    recipients: str
    within_seconds: float
    state: str = ""
    flow_id: str = ""
    deployment_id: str = ""

    @property
    def key(self) -> str:
        """The start of the names of its Variables."""
        return f"{subject_key(self.subject)}{_digest(self.cause_kind, self.recipients)}-"

    @property
    def within(self) -> timedelta:
        """How long further failures are counted."""
        return timedelta(seconds=self.within_seconds)

    def value(self, **more: Any) -> dict[str, Any]:
        """Write it for a Variable."""
        return {"kind": asdict(self), **more}

    @classmethod
    def of(cls, value: dict[str, Any]) -> Kind:
        """Read it from a Variable's value."""
        return cls(**{**value["kind"], "subject": tuple(value["kind"]["subject"])})


def subject_key(subject: tuple[str, ...]) -> str:
    """The start of the names of the Variables of everything that fails alike."""
    return f"{PREFIX}{_digest(*subject)}-"


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
