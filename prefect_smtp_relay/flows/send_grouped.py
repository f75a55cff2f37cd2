"""The flow ``send-grouped``: tells of the failures that ``group_within`` counted."""

from __future__ import annotations

from prefect import flow

from prefect_smtp_relay.notifications.grouping.schedule import FLOW_NAME
from prefect_smtp_relay.notifications.grouping.sending import send_waiting
from prefect_smtp_relay.runtime.log import run_logger


@flow(name=FLOW_NAME)
def send_grouped() -> None:
    """Send the summaries that are due; safe to run in many processes at once.

    Hooks and automations schedule a run for the end of each interval. What the outbox has is sent
    from there.

    Raises:
        EmailError: a summary was neither accepted nor stored; what it tells stays counted.
    """
    sent = send_waiting()
    for each in sent:
        if each.receipt:
            run_logger().info("Told of %d failures of %s.", each.count, each.kind.name)
    for each in sent:
        if each.error and not each.is_handled:
            raise each.error
