"""An incident; the flows of the package have it."""

from prefect_smtp_relay.flows.incidents.incident import Event, Incident, Link, Update

__all__ = ["Event", "Incident", "Link", "Update"]
