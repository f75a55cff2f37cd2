"""What became of a run, in words: for the hooks, and for flows that tell of other runs."""

from prefect_smtp_relay.run_report.reading import (
    describe_flow_run,
    report_flow_run,
    report_task_run,
)
from prefect_smtp_relay.run_report.report import RunReport

__all__ = ["RunReport", "describe_flow_run", "report_flow_run", "report_task_run"]
