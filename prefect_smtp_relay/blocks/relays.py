"""The blocks that connect a relay, in the order of choice."""

from prefect_smtp_relay.blocks.base import RelayBlock
from prefect_smtp_relay.blocks.sendgrid import SendGrid
from prefect_smtp_relay.blocks.smtp import SMTP

RELAY_BLOCKS: tuple[type[RelayBlock], ...] = (SMTP, SendGrid)
"""A connected block of the first type is preferred to any of the next."""

__all__ = ["RELAY_BLOCKS", "SMTP", "RelayBlock", "SendGrid"]
