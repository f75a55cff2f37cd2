"""What keeps the mail of a staging machine from real people: the settings of who gets it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TypeVar

from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.mail.recipients import RecipientPolicy
from prefect_smtp_relay.settings import SmtpRelaySettings

AnyDraft = TypeVar("AnyDraft", bound=Draft)

_HEADER = "X-Original-To"
_BODY_TAG = re.compile(r"<body\b[^>]*>", re.IGNORECASE)


def redirect(draft: AnyDraft, settings: SmtpRelaySettings) -> AnyDraft:
    """Give a draft, or a message, to ``redirect_to`` alone, with its recipients named on top.

    Returns:
        The draft as it is where the setting is empty, or nobody else gets it anyway.
    """
    if not settings.redirect_to:
        return draft
    mailbox = Mailbox.parse(settings.redirect_to)
    if draft.to == (mailbox,) and not draft.cc + draft.bcc and _HEADER in dict(draft.headers):
        return draft
    line, others = _name_recipients(draft), [f for f in draft.headers if f[0] != _HEADER]
    return replace(
        draft,
        to=(mailbox,),
        cc=(),
        bcc=(),
        text=f"{line}\n\n{draft.text}" if draft.text else "",
        html=_put_on_top(line, draft.html) if draft.html else "",
        headers=(*others, (_HEADER, _list(draft.visible_recipients) or "undisclosed-recipients:;")),
    )


def check_recipients(draft: Draft, settings: SmtpRelaySettings) -> None:
    """Refuse a draft, or a message, to anybody who is not in ``allowed_recipients``.

    Raises:
        RecipientNotAllowed: naming the argument and the addresses; of Bcc only their number.
    """
    RecipientPolicy.allowing(settings.allowed_recipients).check(draft)


def _name_recipients(draft: Draft) -> str:
    """For example ``Redirected. To: ann@example.org; Cc: bob@example.org; Bcc: 2 addresses.``."""
    named = {"To": _list(draft.to), "Cc": _list(draft.cc), "Bcc": _count(len(draft.bcc))}
    return f"Redirected. {'; '.join(f'{name}: {who}' for name, who in named.items() if who)}."


def _list(mailboxes: tuple[Mailbox, ...]) -> str:
    return ", ".join(mailbox.address for mailbox in mailboxes)


def _count(number: int) -> str:
    return f"{number} address{'es' * (number > 1)}" if number else ""


def _put_on_top(line: str, page: str) -> str:
    from prefect_smtp_relay.rendering.theme import fill  # loads Jinja, which few mails need

    body = _BODY_TAG.search(page)
    start = body.end() if body else 0
    return f"{page[:start]}{fill('redirected', line=line)}{page[start:]}"
