"""Templates for mails: what ``context=`` makes of the texts and recipients of a mail."""

from prefect_smtp_relay.templating.context import read_context
from prefect_smtp_relay.templating.recipients import fill_recipients
from prefect_smtp_relay.templating.texts import Texts

__all__ = ["Texts", "fill_recipients", "read_context"]
