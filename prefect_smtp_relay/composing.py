"""From what a caller writes to a checked draft: frame, rendering, and the message's own checks."""

from __future__ import annotations

from typing import Any

from prefect_smtp_relay.mail.mailbox import AddressInput
from prefect_smtp_relay.mail.message import Draft, compose
from prefect_smtp_relay.rendering import Frame, render
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.signature import run_signature


def compose_draft(
    settings: SmtpRelaySettings,
    to: AddressInput,
    subject: str,
    body: str,
    *,
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
    frame = Frame(
        logo_url=(custom_logo_url or settings.logo_url) if include_header else "",
        name=settings.header_name if include_header else "",
        preheader=preheader,
        footer=run_signature() if include_footer else "",
        title=str(subject),
    )
    rendered = render(body, html=html, text=text, frame=frame)
    return compose(
        to, subject, text=rendered.text, html=rendered.html, flowed=rendered.flowed, **fields
    )
