"""Remind people of open incidents; a flow of the package."""

from prefect_smtp_relay.flows.incidents.reminder import remind_of_open_incidents

__all__ = ["remind_of_open_incidents"]
