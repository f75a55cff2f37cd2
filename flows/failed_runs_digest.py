"""Mail which flow runs have failed lately; a flow of the package."""

from prefect_smtp_relay.flows.runs.failed_runs_digest import mail_digest

__all__ = ["mail_digest"]
