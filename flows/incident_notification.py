"""Tell stakeholders about an incident; a flow of the package."""

from prefect_smtp_relay.flows.incidents.notification import notify_stakeholders

__all__ = ["notify_stakeholders"]
