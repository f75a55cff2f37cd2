"""Sends what was counted: one summary for each kind of failure whose time is over."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.compose.origin import Origin
from prefect_smtp_relay.delivery.short_retry import deliver_soon
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.notifications.grouping import claims, recipients, variables
from prefect_smtp_relay.notifications.grouping.claims import Claim
from prefect_smtp_relay.notifications.grouping.group import Group, occurrence_of
from prefect_smtp_relay.notifications.grouping.kind import PREFIX, Kind, Occurrence
from prefect_smtp_relay.notifications.grouping.schedule import schedule_sending
from prefect_smtp_relay.notifications.grouping.summary import summarise
from prefect_smtp_relay.notifications.grouping.variables import Variable
from prefect_smtp_relay.notifications.related import name_deployment
from prefect_smtp_relay.rendering.quoting import escape_markdown
from prefect_smtp_relay.runtime.events import telling_failure
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.settings import current_settings

_SOON = timedelta(seconds=61)


@dataclass(frozen=True)
class Sent:
    """What became of one summary.

    Args:
        kind: what it is about.
        count: how many failures.
        receipt: None where no relay accepted it.
        error: why not; where the outbox has it, it counts as handled.
    """

    kind: Kind
    count: int
    receipt: Receipt | None = None
    error: EmailError | None = None

    @property
    def is_handled(self) -> bool:
        """Whether the failures need not be counted any more."""
        return self.error is None or bool(self.error.kept)


def send_waiting(
    part: str = PREFIX, *, now: datetime | None = None, closing: bool = False
) -> list[Sent]:
    """Send the summaries that are due; safe to run in many processes at once.

    Args:
        part: the start of the keys of the groups in question.
        now: what is due is told from; the present where it is None.
        closing: send all that waits, due or not, and end the groups: what failed has recovered.

    Returns:
        The summaries that this process sent, or could not send.

    Raises:
        Exception: one of `API_ERRORS`.
    """
    sent: list[Sent] = []
    now = now or datetime.now(UTC)
    for group in Group.read_all(part).values():
        if (closing or group.is_due(now)) and (claim := claims.take(group, now)):
            fresh = Group.read(group.key)  # another process may just have sent it
            if closing or fresh.is_due(now):
                sent += _send_claimed(fresh, claim, now, closing=closing)
            claims.release(fresh, claim)
    return sent


def _send_claimed(group: Group, claim: Claim, now: datetime, *, closing: bool) -> Iterable[Sent]:
    runs = [run for run in group.runs if run.created <= claim.cutoff]
    if runs and not claim.is_mailed:
        sent = _send(group, runs)
        yield sent
        if sent.is_handled:
            claim.note_mailed()
        else:
            runs = []
    for run in runs:
        variables.delete(run)
    _go_on(group, now, is_over=closing or not group.runs)


def _send(group: Group, runs: Sequence[Variable]) -> Sent:
    kind, opened = group.kind(), group.open.value if group.open else {}
    told = {name: opened[name] for name in ("subject", "thread") if name in opened}
    first = Occurrence(**opened["first"]) if opened.get("told") else None
    occurrences = [occurrence_of(run) for run in runs]
    try:
        to_whom = recipients.load(kind.recipients)
        with telling_failure():
            settings = current_settings()
            mail: dict[str, Any] = {
                **summarise(kind, occurrences, first, **told),
                **to_whom.mail,
                "idempotency_key": _key(runs),
            }
            composed = draft(mail, settings, _origin(kind))
        receipt = deliver_soon(composed, to_whom.relay or None, settings)
    except EmailError as error:
        run_logger().error("A summary of %d failures was not accepted: %s", len(runs), error)
        return Sent(kind, len(runs), error=error)
    return Sent(kind, len(runs), receipt)


def _origin(kind: Kind) -> Origin:
    """Name the hook or the block, and not the flow that sends for it."""
    name = escape_markdown(kind.name)
    block = recipients.block_named_by(kind.recipients)
    who = f"the block **{escape_markdown(block)}**" if block else f"a hook of **{name}**"
    deployment = name_deployment(UUID(kind.deployment_id)) if kind.deployment_id else ""
    return Origin(who, kind.name if kind.flow_id else "", deployment, kind.state)


def _key(runs: Iterable[Variable]) -> str:
    """The same failures are one mail, whoever sends it: who sent it may have died."""
    ids = sorted(str(run.id) for run in runs)
    return f"summary {hashlib.sha256(' '.join(ids).encode()).hexdigest()}"


def _go_on(group: Group, now: datetime, *, is_over: bool) -> None:
    """Begin the next interval, or close the group, and see that somebody sends what comes then."""
    if group.open is None:
        return
    if not is_over:
        until = now + group.kind().within
        variables.update(group.open, until=until.isoformat(), told=True)
        schedule_sending(until, group.key)
        return
    variables.delete(group.open)
    # Whoever saw the group open has counted before this, and is seen here.
    after = Group.read(group.key)
    if after.runs and after.open is None:
        schedule_sending(now + _SOON, group.key)
