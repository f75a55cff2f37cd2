"""Mail which flow runs have failed or crashed lately; to be run on a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prefect import flow

from prefect_smtp_relay import Receipt, send_an_email
from prefect_smtp_relay.flows.runs.digest import describe
from prefect_smtp_relay.flows.runs.failed_runs import find_failed_runs


@flow(name="failed-runs-digest")
def mail_digest(
    recipients: list[str], hours: int = 24, mail_if_nothing_failed: bool = False
) -> Receipt | None:
    """Mail which flow runs of the last hours have failed or crashed, by flow and cause."""
    now = datetime.now(UTC)
    start = now - timedelta(hours=hours)
    found = find_failed_runs(start - timedelta(hours=hours))
    runs = [each for each in found if each[1].end_time and each[1].end_time >= start]
    if not runs and not mail_if_nothing_failed:
        return None
    mail = describe(runs, found[len(runs) :], hours, now)
    receipt: Receipt = send_an_email(recipients, **mail, artifact=True)
    return receipt
