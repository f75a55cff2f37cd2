"""Mail what made a flow run fail; a flow of the package."""

from prefect_smtp_relay.flows.runs.flow_run_incident import tell_of_flow_run

__all__ = ["tell_of_flow_run"]
