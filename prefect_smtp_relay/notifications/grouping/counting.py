"""Which failure is mailed at once: the first of its kind, and what cannot be counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.notifications.grouping import variables
from prefect_smtp_relay.notifications.grouping.group import (
    count,
    due_of,
    open_name,
    open_value,
    run_name,
)
from prefect_smtp_relay.notifications.grouping.kind import Kind, Occurrence
from prefect_smtp_relay.notifications.grouping.recipients import Recipients
from prefect_smtp_relay.notifications.grouping.schedule import FLOW_NAME, schedule_sending
from prefect_smtp_relay.notifications.grouping.sending import send_waiting
from prefect_smtp_relay.runtime import in_server as server_process
from prefect_smtp_relay.runtime.api import API_ERRORS
from prefect_smtp_relay.runtime.log import run_logger

_OVERDUE = timedelta(minutes=2)


@dataclass(frozen=True)
class First:
    """The failure that is mailed at once.

    Args:
        kind, occurrence: what it is; None where failures are not counted.
    """

    kind: Kind | None = None
    occurrence: Occurrence | None = None

    @property
    def key(self) -> str:
        """Names the thread of its mail and the summaries, where nothing else does; or empty."""
        return self.kind.key if self.kind else ""

    @contextmanager
    def telling(self, subject: str, thread: str) -> Iterator[None]:
        """Note that its mail went out, unless it was neither accepted nor kept.

        Args:
            subject, thread: of the mail that is submitted within: the summary is in its thread.
        """
        try:
            yield
        except EmailError as error:
            if error.kept:
                self._note_told(subject, thread)
            raise
        self._note_told(subject, thread)

    def _note_told(self, subject: str, thread: str) -> None:
        if not (self.kind and self.occurrence):
            return
        try:
            if opened := variables.read(open_name(self.kind.key)):
                variables.update(opened, told=True, subject=subject, thread=thread)
            if run := variables.read(run_name(self.kind.key, self.occurrence)):
                variables.delete(run)
        except API_ERRORS as error:
            run_logger().warning("The summary may count this failure too: %s", error)


def count_unless_first(
    describe: Callable[[], tuple[Kind, Occurrence]], recipients: Recipients
) -> First | None:
    """Decide whether a failure is mailed at once.

    Its Variable is there before it is mailed or counts as handled: whoever is killed in between
    leaves it to the next summary.

    Args:
        describe: says what failed, and when; it may ask the Prefect API.
        recipients: who is told.

    Returns:
        What to tell once it is mailed; None where it is counted, and a summary will tell of it.
    """
    try:
        first = _count_unless_first(*describe(), recipients)
    except Exception as error:  # a mail too many is better than none
        run_logger().warning("Failures cannot be counted now, so this one is mailed: %s", error)
        return First()
    if first is None:
        run_logger().info("Counted, and not mailed: others failed like this. A summary follows.")
    return first


def _count_unless_first(kind: Kind, occurrence: Occurrence, recipients: Recipients) -> First | None:
    if variables.read(open_name(kind.key)) is None:
        return _open(kind, occurrence, recipients)
    count(kind, occurrence)
    # Read again: who closes a group looks for what was counted after that.
    opened = variables.read(open_name(kind.key))
    if opened is None:
        return _open(kind, occurrence, recipients)
    if due_of(opened) + _OVERDUE > datetime.now(UTC):
        return None
    if server_process.is_entered():
        return First()  # nobody sends summaries, and the server cannot load who gets them
    send_waiting(kind.key)
    return None


def _open(kind: Kind, occurrence: Occurrence, recipients: Recipients) -> First | None:
    until = datetime.now(UTC) + kind.within
    if not schedule_sending(until, kind.key):
        run_logger().warning(
            "group_within has no effect: the flow %s has no deployment that would send the summary."
            " Run prefect-smtp-relay init, which deploys it.",
            FLOW_NAME,
        )
        return First()
    recipients.save()
    count(kind, occurrence)
    if variables.create(open_name(kind.key), open_value(kind, occurrence, until)):
        return First(kind, occurrence)
    return None
