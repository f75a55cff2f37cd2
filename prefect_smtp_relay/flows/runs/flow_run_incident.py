"""Mail what made a flow run fail; an automation runs this with the failed run's id."""

from __future__ import annotations

from uuid import UUID

from prefect import flow

from prefect_smtp_relay import Receipt, describe_flow_run, send_an_email


@flow(name="flow-run-incident", flow_run_name="about {flow_run_id}")
def tell_of_flow_run(flow_run_id: UUID, recipients: list[str], log_lines: int = 10) -> Receipt:
    """Mail the state, the parameters and the last log lines of another flow run.

    Args:
        flow_run_id: the other run.
        recipients: who is told.
        log_lines: how many log entries to show, the newest.
    """
    report = describe_flow_run(flow_run_id, log_lines=log_lines)
    return send_an_email(recipients, **report.mail, artifact=True)
