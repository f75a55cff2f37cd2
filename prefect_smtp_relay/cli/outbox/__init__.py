"""The outbox for people: what waits and why, and what is to become of it."""

from prefect_smtp_relay.cli.outbox.discarding import outbox_discard
from prefect_smtp_relay.cli.outbox.flushing import outbox_flush
from prefect_smtp_relay.cli.outbox.former import outbox_import
from prefect_smtp_relay.cli.outbox.listing import outbox_list
from prefect_smtp_relay.cli.outbox.showing import outbox_show

__all__ = ["outbox_discard", "outbox_flush", "outbox_import", "outbox_list", "outbox_show"]
