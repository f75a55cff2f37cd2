"""From what a caller writes to a checked draft: template, frame, rendering, checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect_smtp_relay.compose.footer import run_signature
from prefect_smtp_relay.compose.options import MailArguments
from prefect_smtp_relay.compose.senders import check_named_senders
from prefect_smtp_relay.mail.attachments.inline_images import check_inline_images
from prefect_smtp_relay.mail.message import Draft, compose
from prefect_smtp_relay.rendering import Frame, render
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.templating import Texts, fill_recipients, read_context

_RECIPIENTS = ("to", "cc", "bcc", "reply_to")
_TEXTS = ("subject", "body", "preheader", "html", "text", "context")
_FRAME = ("include_header", "include_footer", "custom_logo_url")
_RENDERED = frozenset((*_RECIPIENTS, *_TEXTS, *_FRAME))
"""Arguments that are used up here; the others are those of `compose`."""


def draft(arguments: MailArguments, settings: SmtpRelaySettings) -> Draft:
    """Render and check a mail, before any relay is asked.

    Args:
        arguments: those of `send_an_email`; with ``context``, its texts and recipients are
            templates.
        settings: as of now.

    Raises:
        MessageError: naming the argument and the fix.
    """
    texts, recipients = _fill(arguments)
    frame = _frame(arguments, texts, settings)
    rendered = render(
        texts.body, html=texts.html, text=texts.text, frame=frame, values=texts.values
    )
    others: dict[str, Any] = {k: v for k, v in arguments.items() if k not in _RENDERED}
    composed = compose(
        **recipients,
        subject=texts.subject,
        text=rendered.text,
        html=rendered.html,
        flowed=rendered.flowed,
        size_limit=settings.size_limit,
        **others,
    )
    check_inline_images(
        composed.html,
        composed.inline_images,
        composed.attachments,
        must_all_show=arguments.get("html") is None,
    )
    check_named_senders(composed, settings.protected_domains)
    return composed


def _fill(arguments: Mapping[str, Any]) -> tuple[Texts, dict[str, Any]]:
    """Fill texts and recipients in, where there is a context; else braces are braces."""
    texts = Texts(
        arguments["subject"],
        arguments["body"],
        arguments.get("preheader", ""),
        arguments.get("html"),
        arguments.get("text"),
    )
    recipients = {name: arguments.get(name) for name in _RECIPIENTS}
    if arguments.get("context") is None:
        return texts, recipients
    context = read_context(arguments["context"])
    filled = {name: fill_recipients(v, context, name) for name, v in recipients.items()}
    return texts.filled(context), filled


def _frame(arguments: MailArguments, texts: Texts, settings: SmtpRelaySettings) -> Frame:
    has_header = arguments.get("include_header", True)
    logo_url = arguments.get("custom_logo_url") or settings.logo_url
    return Frame(
        logo_url=logo_url if has_header else "",
        name=settings.header_name if has_header else "",
        preheader=texts.preheader,
        footer=run_signature() if arguments.get("include_footer", True) else "",
        title=str(texts.subject),
        language=settings.language,
    )
