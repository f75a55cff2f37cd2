"""The workflow action "Send an email" as plain functions; `tasks` makes Prefect tasks of them.

They stand in a module of their own so that each is found under its own name: a task runner with
processes of its own pickles them by that name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prefect_smtp_relay.compose.draft import compose_draft
from prefect_smtp_relay.delivery.handover import deliver_or_keep, telling_failures
from prefect_smtp_relay.delivery.routing import RelayInput
from prefect_smtp_relay.mail.attachments.reading import AttachmentInput
from prefect_smtp_relay.mail.categories import CategoriesInput
from prefect_smtp_relay.mail.headers.advisory import Importance
from prefect_smtp_relay.mail.headers.unsubscribe import UnsubscribeInput
from prefect_smtp_relay.mail.mailbox import AddressInput, Mailbox
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.runtime.artifacts import ArtifactInput, leave_artifact
from prefect_smtp_relay.runtime.log import forward_transport_log
from prefect_smtp_relay.runtime.run import Try, in_worker_thread
from prefect_smtp_relay.settings import current_settings

forward_transport_log()


def send_an_email(
    to: AddressInput,
    subject: str,
    body: str,
    *,
    context: Mapping[str, Any] | None = None,
    from_: str | Mailbox | None = None,
    cc: AddressInput = None,
    bcc: AddressInput = None,
    reply_to: AddressInput = None,
    html: str | None = None,
    text: str | None = None,
    attachments: Sequence[AttachmentInput] | Mapping[str, AttachmentInput] | None = None,
    inline_images: Mapping[str, AttachmentInput] | None = None,
    headers: Mapping[str, str] | None = None,
    thread: str = "",
    idempotency_key: str = "",
    list_unsubscribe: UnsubscribeInput = "",
    importance: Importance = "normal",
    preheader: str = "",
    include_header: bool = True,
    include_footer: bool = True,
    custom_logo_url: str = "",
    categories: CategoriesInput = None,
    relay: RelayInput = None,
    artifact: ArtifactInput = False,
) -> Receipt:
    """Send an email through the relay that the team connected.

    The connected SMTP block of the highest priority takes it, else a SendGrid block, else the
    outbox stores it. Transient failures are retried with growing pauses, with one Message-ID.

    Args:
        to: the recipients: a text with commas between them, or a list; names are welcome
            (``Ann <ann@example.org>``).
        subject: one line.
        body: Markdown; becomes the HTML part and the plain text part.
        context: names to values; with it, subject, preheader, body, ``html``, ``text`` and the
            recipients are Jinja templates, in which values show as typed. Without it, braces
            are braces.
        from_: the sender; by default the relay's ``from_address``, then ``default_from``.
        cc: more recipients, shown to all.
        bcc: more recipients, shown to nobody.
        reply_to: where answers go.
        html: HTML in place of what the body renders to.
        text: plain text in place of what the body renders to.
        attachments: paths, ``(name, octets)`` pairs, open files, or a mapping of names to these.
        inline_images: content id to path or octets; ``![](cid:ID)`` shows it in the body.
        headers: further header fields.
        thread: a key such as ``INC-42``: mails of one key and sender domain show in one thread.
        idempotency_key: names this one mail, 1 to 255 characters: while the result storage has its
            receipt, further calls with the key, from any run, return that and submit nothing.
        list_unsubscribe: an https URL for one click, an address, or a list of both.
        importance: ``high``, ``normal`` or ``low``.
        preheader: what inboxes show behind the subject, in place of the body's first words.
        include_header: show the logo, or the name, above the body.
        include_footer: say below the body which flow run sent it.
        custom_logo_url: the web address of a logo; by default the setting ``logo_url``.
        categories: labels for SendGrid's statistics, beside those of the block, up to ten in all:
            a list, or a text with commas between them. SMTP ignores them.
        relay: ``smtp/NAME``, ``sendgrid/NAME``, ``outbox``, or a block; overrides the choice.
        artifact: leave a Markdown artifact in the run, recipients masked; ``with-recipients``
            shows them. Bcc recipients are only counted.

    Returns:
        The receipt: who took it, for whom, in which words.

    Raises:
        MessageError: the message is wrong as it stands; never retried.
        RelayConfigurationError: a block or setting is wrong; never retried.
        DeliveryError: the relay did not take it, after the last retry.
        RelayLookupFailed: the Prefect API could not be asked, after the last retry.
        ReceiptLookupFailed: the result storage could not be asked about the key, likewise.
        ReceiptDamaged: the mail of this key was accepted, and its receipt is unreadable.
    """
    current = Try.of(send_an_email, asend_an_email)
    with telling_failures(last_try=current.is_last):
        settings = current_settings()
        draft = compose_draft(
            settings,
            to,
            subject,
            body,
            context=context,
            html=html,
            text=text,
            preheader=preheader,
            include_header=include_header,
            include_footer=include_footer,
            custom_logo_url=custom_logo_url,
            from_=from_,
            cc=cc,
            bcc=bcc,
            reply_to=reply_to,
            attachments=attachments,
            inline_images=inline_images,
            headers=headers,
            thread=thread,
            idempotency_key=idempotency_key,
            list_unsubscribe=list_unsubscribe,
            importance=importance,
            categories=categories,
        )
        message, receipt = deliver_or_keep(
            draft, relay, settings, origin=current.origin, last_try=current.is_last
        )
    if message is not None:
        leave_artifact(message, receipt, artifact)
    return receipt


asend_an_email = in_worker_thread(send_an_email, "asend_an_email")
