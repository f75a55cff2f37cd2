"""Mail through SendGrid's v3 API. Importing this loads neither its library nor httpx."""

from prefect_smtp_relay.transports.sendgrid.config import SendGridConfig
from prefect_smtp_relay.transports.sendgrid.transport import SendGridTransport

__all__ = ["SendGridConfig", "SendGridTransport"]
