"""E-mail from Prefect flows, through the relay that a team connected once.

The names below are imported when they are first used: ``import prefect_smtp_relay.mail`` loads
no Prefect.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from prefect_smtp_relay._version import __version__

if TYPE_CHECKING:
    from prefect_smtp_relay.blocks.sendgrid import SendGrid
    from prefect_smtp_relay.blocks.smtp import SMTP
    from prefect_smtp_relay.compose.batches import in_batches
    from prefect_smtp_relay.compose.preview import render
    from prefect_smtp_relay.mail.attachments.attachment import Attachment
    from prefect_smtp_relay.mail.mailbox import Mailbox
    from prefect_smtp_relay.mail.receipt import Receipt, Refusal
    from prefect_smtp_relay.notifications.causes import Cause, cause_of
    from prefect_smtp_relay.notifications.durations import format_duration
    from prefect_smtp_relay.notifications.hooks import (
        email_on_cancellation,
        email_on_completion,
        email_on_crash,
        email_on_failure,
        email_on_recovery,
    )
    from prefect_smtp_relay.notifications.reading import describe_flow_run
    from prefect_smtp_relay.notifications.report import RunReport
    from prefect_smtp_relay.notifications.run_links import runs_url
    from prefect_smtp_relay.notifications.send_an_email_block import SendAnEmail
    from prefect_smtp_relay.notifications.times import format_time
    from prefect_smtp_relay.rendering.quoting import escape_markdown
    from prefect_smtp_relay.tasks import (
        asend_an_email,
        asend_emails,
        send_an_email,
        send_emails,
    )
    from prefect_smtp_relay.transports.masking import mask
    from prefect_smtp_relay.transports.recording import Preview

_HOMES = {
    "SMTP": "blocks.smtp",
    "SendGrid": "blocks.sendgrid",
    "Attachment": "mail.attachments.attachment",
    "Mailbox": "mail.mailbox",
    "Preview": "transports.recording",
    "Receipt": "mail.receipt",
    "Refusal": "mail.receipt",
    "SendAnEmail": "notifications.send_an_email_block",
    "RunReport": "notifications.report",
    "asend_an_email": "tasks",
    "asend_emails": "tasks",
    "Cause": "notifications.causes",
    "cause_of": "notifications.causes",
    "describe_flow_run": "notifications.reading",
    "email_on_cancellation": "notifications.hooks",
    "email_on_completion": "notifications.hooks",
    "email_on_crash": "notifications.hooks",
    "email_on_failure": "notifications.hooks",
    "email_on_recovery": "notifications.hooks",
    "escape_markdown": "rendering.quoting",
    "format_duration": "notifications.durations",
    "format_time": "notifications.times",
    "in_batches": "compose.batches",
    "mask": "transports.masking",
    "render": "compose.preview",
    "runs_url": "notifications.run_links",
    "send_an_email": "tasks",
    "send_emails": "tasks",
}

__all__ = [
    "SMTP",
    "Attachment",
    "Cause",
    "Mailbox",
    "Preview",
    "Receipt",
    "Refusal",
    "RunReport",
    "SendAnEmail",
    "SendGrid",
    "__version__",
    "asend_an_email",
    "asend_emails",
    "cause_of",
    "describe_flow_run",
    "email_on_cancellation",
    "email_on_completion",
    "email_on_crash",
    "email_on_failure",
    "email_on_recovery",
    "escape_markdown",
    "format_duration",
    "format_time",
    "in_batches",
    "mask",
    "render",
    "runs_url",
    "send_an_email",
    "send_emails",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
