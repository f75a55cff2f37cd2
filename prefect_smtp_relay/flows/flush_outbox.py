"""The flow ``flush-outbox``: what `prefect-smtp-relay outbox flush` does, on a schedule."""

from __future__ import annotations

from prefect import State, flow
from prefect.states import Completed, Failed

from prefect_smtp_relay.delivery.discard import flush_each_once
from prefect_smtp_relay.delivery.resubmit import flush
from prefect_smtp_relay.runtime.artifacts import leave_table
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.transports.outbox import FlushReport


@flow(name="flush-outbox")
def flush_outbox(only_due: bool = True, newest_copy: bool = False) -> State[None]:
    """Submit the mails in the outbox through the relay that is connected.

    Args:
        only_due: Leave for a later run what failed before: a mail that no relay takes is tried
            after 5, 10, 20, 40 minutes, and so on. Switched off, every mail is tried now.
        newest_copy: Where the same mail waits more than once, submit only the newest one, and
            discard the others once a relay has accepted it.

    Returns:
        Failed where a mail was not accepted as a whole; it stays in the outbox, with the reason.

    Raises:
        EmailError: the spool itself failed, or the Prefect API could not be asked.
    """
    settings = current_settings()
    if newest_copy:
        report, discarded = flush_each_once(settings, only_due=only_due)
        run_logger().info("Older copies that were discarded: %d.", len(discarded.discarded))
    else:
        report = flush(settings, only_due=only_due)
    _log(report)
    if rows := _rows(report):
        leave_table("outbox", rows, "What became of the mails in the outbox")
    text = f"{len(report.accepted)} accepted, {report.remaining} left in the outbox."
    if report.failed:
        return Failed(message=f"{len(report.failed)} failed, {text}")
    return Completed(message=report.stopped or text)


def _log(report: FlushReport) -> None:
    for entry, reason in report.failed:
        run_logger().error("%s: %s", entry, reason)
    for entry in report.unknown:
        run_logger().warning(
            "%s: a relay may have accepted it. Look for its Message-ID in the relay's log;"
            " `prefect-smtp-relay outbox flush %s` submits it again.",
            entry,
            entry,
        )
    if report.stopped:
        run_logger().warning("%s", report.stopped)


def _rows(report: FlushReport) -> list[dict[str, str]]:
    accepted = [(r.message_id, "accepted", f"{r.relay}: {r.response}") for r in report.accepted]
    failed = [(entry, "failed", reason) for entry, reason in report.failed]
    unknown = [(entry, "unknown", "a relay may have accepted it") for entry in report.unknown]
    return [
        {"outcome": outcome, "detail": detail, "mail": mail}  # a window shows the first columns
        for mail, outcome, detail in (*accepted, *failed, *unknown)
    ]
