"""From what a caller writes to a checked draft: template, frame, rendering, checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect_smtp_relay.compose.footer import run_signature
from prefect_smtp_relay.mail.attachments.inline_images import check_inline_images
from prefect_smtp_relay.mail.mailbox import AddressInput
from prefect_smtp_relay.mail.message import Draft, compose
from prefect_smtp_relay.rendering.frame import Frame
from prefect_smtp_relay.rendering.render import render
from prefect_smtp_relay.rendering.values import Values
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.transports.recording import current_captor


def compose_draft(
    settings: SmtpRelaySettings,
    to: AddressInput,
    subject: str,
    body: str,
    *,
    context: Mapping[str, Any] | None = None,
    cc: AddressInput = None,
    bcc: AddressInput = None,
    reply_to: AddressInput = None,
    html: str | None = None,
    text: str | None = None,
    preheader: str = "",
    include_header: bool = True,
    include_footer: bool = True,
    custom_logo_url: str = "",
    **fields: Any,
) -> Draft:
    """Render and check a mail; the arguments are those of `send_an_email`.

    Args:
        settings: as of now.
        to: the recipients.
        subject: one line.
        body: Markdown.
        context: fills recipients and texts in as templates; None: braces are braces.
        cc, bcc, reply_to: as ``to``.
        html: HTML in place of what the body renders to.
        text: plain text in place of what the body renders to.
        preheader: what inboxes show behind the subject.
        include_header: show the logo, or the name, above the body.
        include_footer: say below the body which flow run sent it.
        custom_logo_url: the web address of a logo.
        fields: the others, as `compose` takes them.

    Raises:
        MessageError: naming the argument and the fix.
    """
    arguments: dict[str, Any] = {
        "to": to,
        "subject": subject,
        "body": body,
        "cc": cc,
        "bcc": bcc,
        "reply_to": reply_to,
        "html": html,
        "text": text,
        "preheader": preheader,
        "custom_logo_url": custom_logo_url,
        **fields,
    }
    values = None
    if context is not None:
        # Jinja is slow to import, and most mails have no context.
        from prefect_smtp_relay.templating.arguments import fill_arguments

        arguments, values = fill_arguments(arguments, context)
    return _draft(settings, include_header, include_footer, values, **arguments)


def _draft(
    settings: SmtpRelaySettings,
    include_header: bool,
    include_footer: bool,
    values: Values | None,
    *,
    subject: str,
    body: str,
    html: str | None,
    text: str | None,
    preheader: str,
    custom_logo_url: str,
    **fields: Any,
) -> Draft:
    frame = Frame(
        logo_url=(custom_logo_url or settings.logo_url) if include_header else "",
        name=settings.header_name if include_header else "",
        preheader=preheader,
        footer=run_signature() if include_footer else "",
        title=str(subject),
        language=settings.language,
    )
    rendered = render(body, html=html, text=text, frame=frame, values=values)
    if current_captor():
        # A preview must neither use up the key of the mail itself, nor show nothing for it.
        fields.pop("idempotency_key", None)
    draft = compose(
        subject=subject,
        text=rendered.text,
        html=rendered.html,
        flowed=rendered.flowed,
        size_limit=settings.size_limit,
        **fields,
    )
    check_inline_images(
        draft.html, draft.inline_images, draft.attachments, must_all_show=html is None
    )
    return draft
