"""A mail as it would be submitted, from Python: nothing leaves the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from typing_extensions import Unpack

from prefect_smtp_relay.compose.draft import compose_draft
from prefect_smtp_relay.delivery.routing import Origin, Relay, settle
from prefect_smtp_relay.mail.attachments.reading import AttachmentInput
from prefect_smtp_relay.mail.categories import CategoriesInput
from prefect_smtp_relay.mail.headers.advisory import Importance
from prefect_smtp_relay.mail.headers.unsubscribe import UnsubscribeInput
from prefect_smtp_relay.mail.mailbox import AddressInput, Mailbox
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.transports.recording import Preview, RecordingTransport

__all__ = ["MailOptions", "Preview", "render"]


class MailOptions(TypedDict, total=False):
    """The keywords of `prefect_smtp_relay.send_an_email` that say what the mail is."""

    from_: str | Mailbox | None
    cc: AddressInput
    bcc: AddressInput
    reply_to: AddressInput
    html: str | None
    text: str | None
    attachments: Sequence[AttachmentInput] | Mapping[str, AttachmentInput] | None
    inline_images: Mapping[str, AttachmentInput] | None
    headers: Mapping[str, str] | None
    thread: str
    list_unsubscribe: UnsubscribeInput
    importance: Importance
    preheader: str
    include_header: bool
    include_footer: bool
    custom_logo_url: str
    categories: CategoriesInput
    context: Mapping[str, Any]


def render(to: AddressInput, subject: str, body: str, **options: Unpack[MailOptions]) -> Preview:
    """Render the mail that `prefect_smtp_relay.send_an_email` would submit, and submit nothing.

    The Prefect API is not asked: where neither ``from_`` nor the setting ``default_from`` names a
    sender, a placeholder stands in From.

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
    draft = compose_draft(settings, to, subject, body, **options)
    nobody = Relay("capture", RecordingTransport(Path()), (settings.default_from,))
    _, message = settle(draft, nobody, settings, Origin())
    return Preview.of(message)
