"""The Prefect blocks: fields that the UI shows, and the transports they stand for."""

from prefect_smtp_relay.blocks.base import RelayBlock
from prefect_smtp_relay.blocks.sendgrid import SendGrid
from prefect_smtp_relay.blocks.smtp import SMTP

RELAY_BLOCKS: tuple[type[RelayBlock], ...] = (SMTP, SendGrid)
"""In the order of choice: a connected block of the first type is preferred to any of the next."""

__all__ = ["RELAY_BLOCKS", "SMTP", "RelayBlock", "SendGrid"]
