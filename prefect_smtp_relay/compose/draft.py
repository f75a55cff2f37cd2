"""From what a caller writes to a checked draft: template, frame, rendering, checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from prefect_smtp_relay.compose.bad_values import leave_out_bad_values
from prefect_smtp_relay.compose.options import MailArguments, check_arguments
from prefect_smtp_relay.compose.origin import Origin
from prefect_smtp_relay.compose.run_key import RUN, key_in_run
from prefect_smtp_relay.compose.run_origin import run_origin
from prefect_smtp_relay.compose.wording import digest_of_body
from prefect_smtp_relay.exceptions import EmailError, InternalError
from prefect_smtp_relay.mail.attachments.image_size import image_width
from prefect_smtp_relay.mail.attachments.inline_images import check_inline_images
from prefect_smtp_relay.mail.left_out import LeftOut
from prefect_smtp_relay.mail.message import SENDER_NAME, Draft, compose
from prefect_smtp_relay.rendering.frame import Frame
from prefect_smtp_relay.rendering.images import fit_images
from prefect_smtp_relay.rendering.labels import read_labels, read_tone
from prefect_smtp_relay.rendering.render import Rendered, render
from prefect_smtp_relay.rendering.values import MEGABYTE, Values
from prefect_smtp_relay.settings import SmtpRelaySettings

_BODY = ("context", "body", "html", "text", "preheader")
_FRAME = ("tone", "labels", "include_header", "include_footer", "custom_logo_url")
_RENDERED = frozenset((*_BODY, *_FRAME))
"""Arguments that are used up by the rendering; the others are those of `compose`."""


def draft(
    arguments: Mapping[str, Any],
    settings: SmtpRelaySettings,
    origin: Origin | None = None,
    number: int = 0,
) -> Draft:
    """Render and check a mail, before any relay is asked.

    Args:
        arguments: those of `send_an_email`, as in `MailArguments`; with ``context``, all their
            texts are templates.
        settings: as of now.
        origin: what the mail comes from; the current flow run where it is None.
        number: its place among the mails of one call.

    Raises:
        MessageError: naming the argument and the fix.
        InternalError: what nobody foresaw.
    """
    try:
        return _draft(arguments, settings, origin or run_origin(), number)
    except EmailError:
        raise
    except Exception as error:
        raise InternalError.of(error) from error


def _draft(
    arguments: Mapping[str, Any], settings: SmtpRelaySettings, origin: Origin, number: int
) -> Draft:
    left_out = LeftOut(refuses=settings.invalid_values == "refuse")
    mail, values = _fill(check_arguments(arguments), left_out, settings)
    rendered = _render(mail, values, settings, origin)
    others: dict[str, Any] = {k: v for k, v in mail.items() if k not in _RENDERED}
    others["headers"] = origin.headers(mail.get("headers"))
    if settings.capture_to is not None:
        # A captured mail must neither use up the key of the mail itself, nor give way to it.
        others.pop("idempotency_key", None)
    composed = compose(
        text=rendered.text,
        html=rendered.html,
        flowed=rendered.flowed,
        size_limit=settings.size_limit,
        left_out=left_out.notes,
        wording=digest_of_body(mail, values),
        **others,
    )
    if composed.idempotency_key == RUN:
        composed = replace(composed, idempotency_key=key_in_run(composed, number))
    return _show_images(composed, is_ours=mail.get("html") is None)


def _show_images(composed: Draft, *, is_ours: bool) -> Draft:
    """Check the inline images, and fit them into the card of HTML that is ours."""
    images = composed.inline_images
    check_inline_images(composed.html, images, composed.attachments, must_all_show=is_ours)
    if not (images and is_ours):
        return composed
    widths = {image.content_id: image_width(image) for image in images}
    return replace(composed, html=fit_images(composed.html, widths))


def _fill(
    arguments: MailArguments, left_out: LeftOut, settings: SmtpRelaySettings
) -> tuple[MailArguments, Values | None]:
    """Fill values in, where there is a context; else braces are braces."""
    context = arguments.get("context")
    if context is None:
        return arguments, None
    # Jinja is slow to import, and most mails have no context.
    from prefect_smtp_relay.templating.arguments import fill_arguments

    filled, values = fill_arguments(
        arguments, context, settings.max_text_megabytes * MEGABYTE, left_out
    )
    return leave_out_bad_values(cast("MailArguments", filled), arguments, left_out), values


def _render(
    mail: MailArguments, values: Values | None, settings: SmtpRelaySettings, origin: Origin
) -> Rendered:
    has_header = mail.get("include_header", True)
    tone = read_tone(mail.get("tone"))
    frame = Frame(
        logo_url=(mail.get("custom_logo_url") or settings.logo_url) if has_header else "",
        name=(settings.header_name or SENDER_NAME) if has_header else "",
        preheader=mail.get("preheader") or "",
        footer=origin.footer(mail) if mail.get("include_footer", True) else "",
        title=str(mail["subject"]),
        language=settings.language,
        tone=tone,
        labels=read_labels(mail.get("labels"), tone),
    )
    return render(
        mail["body"] or "",
        html=mail.get("html"),
        text=mail.get("text"),
        frame=frame,
        values=values,
        max_bytes=settings.max_text_megabytes * MEGABYTE,
    )
