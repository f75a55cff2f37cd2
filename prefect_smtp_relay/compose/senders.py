"""Protected domains: what a workflow may not name as a sender."""

from __future__ import annotations

from collections.abc import Iterable

from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.mail.sender import SenderPolicy

_ADDRESS_HEADERS = frozenset(
    {"errors-to", "mail-reply-to", "mail-followup-to", "disposition-notification-to"}
)
"""Free header fields that some readers answer to."""


def check_named_senders(draft: Draft, protected_domains: Iterable[str]) -> None:
    """Refuse a draft that names a protected domain as From, Sender, Reply-To or the like.

    Raises:
        ProtectedDomain: naming the argument and the domain.
    """
    policy = SenderPolicy.protecting(protected_domains)
    named = [("reply_to", mailbox) for mailbox in draft.reply_to]
    named += [("from_", draft.requested_from)] if draft.requested_from else []
    named += [("headers['Sender']", draft.sender)] if draft.sender else []
    named += [("reverse_path", draft.reverse_path)] if draft.reverse_path else []
    for name, value in draft.headers:
        if name.lower() in _ADDRESS_HEADERS:
            field = f"headers[{name!r}]"
            named += [(field, mailbox) for mailbox in Mailbox.parse_list(value, field)]
    for field, mailbox in named:
        policy.check(mailbox, field)
