"""The arguments of a mail, listed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Required, TypedDict, cast

from prefect_smtp_relay.exceptions import MessageError, nearest
from prefect_smtp_relay.mail.attachments.reading import AttachmentInput
from prefect_smtp_relay.mail.categories import CategoriesInput
from prefect_smtp_relay.mail.headers.advisory import Importance
from prefect_smtp_relay.mail.headers.unsubscribe import UnsubscribeInput
from prefect_smtp_relay.mail.mailbox import AddressInput, Mailbox
from prefect_smtp_relay.rendering.labels import LabelsInput, Tone


class MailOptions(TypedDict, total=False):
    """What a mail may have beside its recipients, subject and body; see `send_an_email`."""

    context: Mapping[str, Any] | None
    from_: str | Mailbox | None
    cc: AddressInput
    bcc: AddressInput
    reply_to: AddressInput
    html: str | None
    text: str | None
    attachments: Sequence[AttachmentInput] | Mapping[str, AttachmentInput] | None
    inline_images: Mapping[str, AttachmentInput] | None
    headers: Mapping[str, str | None] | None
    thread: str | None
    starts_thread: bool | None
    idempotency_key: str | None
    list_unsubscribe: UnsubscribeInput
    importance: Importance | None
    reverse_path: str | Mailbox | None
    preheader: str | None
    tone: Tone | Literal[""] | None
    labels: LabelsInput
    include_header: bool
    include_footer: bool
    custom_logo_url: str
    categories: CategoriesInput


class MailArguments(MailOptions, total=False):
    """All arguments of one mail: an entry of `send_emails`."""

    to: Required[AddressInput]
    subject: Required[str]
    body: str | None


_REQUIRED = ("to", "subject")
_NAMES = (*_REQUIRED, "body", *MailOptions.__annotations__)
_ELSEWHERE = {
    "relay": "Give relay= to send_emails, for all mails.",
    "artifact": "Use send_an_email for a mail with an artifact.",
}


def check_arguments(arguments: Mapping[str, Any]) -> MailArguments:
    """Refuse arguments that do not exist, and the lack of one that must.

    Args:
        arguments: of one mail, by their names.

    Returns:
        Those that are not None: None is the default, wherever it is given.

    Raises:
        MessageError: naming the argument and the fix.
    """
    for name in arguments:
        if name not in _NAMES:
            raise MessageError(f"there is no argument {name!r}", _hint(name))
    for name in _REQUIRED:
        if name not in arguments:
            raise MessageError(f"{name} is missing", f"Add {name!r}.")
    given = {name: value for name, value in arguments.items() if value is not None}
    return cast("MailArguments", {"to": None, "subject": None, "body": "", **given})


def _hint(name: Any) -> str:
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    close = nearest(str(name), _NAMES)
    return f"Did you mean {close!r}?" if close else f"Use any of {', '.join(_NAMES)}."
