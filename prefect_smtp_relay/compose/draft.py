"""From what a caller writes to a checked draft: template, frame, rendering, checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect_smtp_relay.compose.footer import run_signature
from prefect_smtp_relay.mail.attachments.inline_images import check_inline_images
from prefect_smtp_relay.mail.mailbox import AddressInput
from prefect_smtp_relay.mail.message import Draft, compose
from prefect_smtp_relay.rendering import Frame, render
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.templating import Texts, fill_recipients, read_context


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
    texts = Texts(subject, body, preheader, html, text)
    if context is not None:
        record = read_context(context)
        texts = texts.filled(record)
        to, cc, bcc, reply_to = (
            fill_recipients(value, record, name)
            for name, value in (("to", to), ("cc", cc), ("bcc", bcc), ("reply_to", reply_to))
        )
    frame = Frame(
        logo_url=(custom_logo_url or settings.logo_url) if include_header else "",
        name=settings.header_name if include_header else "",
        preheader=texts.preheader,
        footer=run_signature() if include_footer else "",
        title=str(texts.subject),
        language=settings.language,
    )
    rendered = render(
        texts.body, html=texts.html, text=texts.text, frame=frame, values=texts.values
    )
    if settings.capture_to is not None:
        # It must neither use up the key of the mail itself, nor show nothing for it.
        fields.pop("idempotency_key", None)
    draft = compose(
        to,
        texts.subject,
        text=rendered.text,
        html=rendered.html,
        flowed=rendered.flowed,
        cc=cc,
        bcc=bcc,
        reply_to=reply_to,
        size_limit=settings.size_limit,
        **fields,
    )
    check_inline_images(
        draft.html, draft.inline_images, draft.attachments, must_all_show=html is None
    )
    return draft
