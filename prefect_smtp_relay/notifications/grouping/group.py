"""What is kept of one kind of failure: whether it is open, what is counted, who is sending it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from prefect_smtp_relay.notifications.grouping import variables
from prefect_smtp_relay.notifications.grouping.kind import Kind, Occurrence
from prefect_smtp_relay.notifications.grouping.variables import Variable

_PARTS = re.compile(r"(?P<key>smtp-relay-[0-9a-f]{16}-[0-9a-f]{16}-)(?P<part>open|run|claim)\b")
_PATIENCE = timedelta(minutes=1)
"""After that nobody is about to mail the first failure, or to open a group, any more."""


@dataclass
class Group:
    """The Variables of one kind.

    Args:
        key: the start of their names.
        open: there while failures are counted, in place of being mailed; None where none are.
        runs: what is counted, and not in a summary yet.
        claims: who sends or sent a summary.
    """

    key: str
    open: Variable | None = None
    runs: list[Variable] = field(default_factory=list)
    claims: list[Variable] = field(default_factory=list)

    @classmethod
    def read(cls, key: str) -> Self:
        """Read what there is now."""
        return cls.read_all(key).get(key) or cls(key)

    @classmethod
    def read_all(cls, part: str) -> dict[str, Self]:
        """Read all groups whose keys begin alike."""
        groups: dict[str, Self] = {}
        for variable in variables.read_all(part):
            if not (name := _PARTS.match(variable.name)):
                continue
            group = groups.setdefault(name["key"], cls(name["key"]))
            if name["part"] == "open":
                group.open = variable
            else:
                (group.runs if name["part"] == "run" else group.claims).append(variable)
        return groups

    @property
    def due(self) -> datetime | None:
        """When its summary is to be sent; None where nothing waits."""
        if self.open:
            return due_of(self.open)
        created = [variable.created for variable in (*self.runs, *self.claims)]
        return min(created) + _PATIENCE if created else None

    def is_due(self, now: datetime) -> bool:
        """Whether its summary is to be sent."""
        return self.due is not None and self.due <= now

    def kind(self) -> Kind:
        """What it is about; each of its Variables says it."""
        return Kind.of((self.open or self.runs[0]).value)


def due_of(opened: Variable) -> datetime:
    """When the summary of an open group is to be sent: soon where the first mail never went out."""
    if not opened.value["told"]:
        return opened.created + _PATIENCE
    return datetime.fromisoformat(opened.value["until"])


def open_name(key: str) -> str:
    """The name of the Variable that opens a group."""
    return f"{key}open"


def run_name(key: str, occurrence: Occurrence) -> str:
    """The name of the Variable that counts a failure."""
    return f"{key}run-{occurrence.id}"


def count(kind: Kind, occurrence: Occurrence) -> None:
    """Count a failure; the same one twice counts once."""
    variables.create(run_name(kind.key, occurrence), kind.value(run=asdict(occurrence)))


def occurrence_of(run: Variable) -> Occurrence:
    """Read what was counted."""
    return Occurrence(**run.value["run"])


def open_value(kind: Kind, first: Occurrence, until: datetime) -> dict[str, Any]:
    """Write what opens a group."""
    return kind.value(until=until.isoformat(), told=False, first=asdict(first))
