"""Failures without flow runs: what hooks do, but for the mail of the first one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prefect_smtp_relay.notifications.grouping.counting import First, count_unless_first
from prefect_smtp_relay.notifications.grouping.kind import Kind, Occurrence
from prefect_smtp_relay.notifications.grouping.recipients import Recipients

TO_ANN = Recipients({"to": "ann@example.org"})
KIND = Kind(
    subject=("flow", "import", ""),
    name="import",
    cause="ValueError: gone",
    cause_kind="FAILED ValueError: gone",
    recipients=TO_ANN.reference,
    state="Failed",
    within_seconds=900,
)


def fail(name: str, kind: Kind = KIND) -> First | None:
    """Count a failure, unless it is the first one."""
    run = Occurrence(id=name, name=name, at=datetime.now(UTC).isoformat())
    return count_unless_first(lambda: (kind, run), TO_ANN)


def in_minutes(minutes: float) -> datetime:
    """A moment from now."""
    return datetime.now(UTC) + timedelta(minutes=minutes)


def open_and_tell(kind: Kind = KIND) -> None:
    """Let a first failure be mailed."""
    first = fail("first", kind)
    assert first is not None
    with first.telling("import failed", "thread"):
        pass
