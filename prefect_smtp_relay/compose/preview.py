"""A mail as it would be submitted, from Python: nothing leaves the machine."""

from __future__ import annotations

from typing import Unpack

from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.compose.options import MailOptions
from prefect_smtp_relay.compose.staging import check_recipients, redirect
from prefect_smtp_relay.mail.mailbox import AddressInput
from prefect_smtp_relay.mail.sender import FROM_PENDING, SenderPolicy, resolve_sender
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.transports.recording import Preview


def render(
    to: AddressInput, subject: str, body: str | None = None, **options: Unpack[MailOptions]
) -> Preview:
    """Render the mail that `prefect_smtp_relay.send_an_email` would submit, and submit nothing.

    The Prefect API is not asked: where neither ``from_`` nor the setting ``default_from`` names a
    sender, a placeholder is in From.

    Args:
        to: the recipients.
        subject: one line.
        body: Markdown.
        options: the others, by the names that they have there; ``relay`` and ``artifact`` say
            nothing of the mail, and are not among them.

    Returns:
        The mail, with ``html``, ``text`` and ``eml``.

    Raises:
        MessageError: naming the argument and the fix.
        RelayConfigurationError: a setting is invalid.
    """
    settings = current_settings()
    drafted = draft({"to": to, "subject": subject, "body": body, **options}, settings)
    drafted = redirect(drafted, settings)
    SenderPolicy.protecting(settings.protected_domains).check_draft(drafted)
    check_recipients(drafted, settings)
    sender = resolve_sender(drafted.requested_from, (settings.default_from,))
    return Preview.of(drafted.from_mailbox(sender or FROM_PENDING))
