"""Who may be in the From field, and who is where the action names nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from prefect_smtp_relay.exceptions import ProtectedDomain
from prefect_smtp_relay.mail.domain import is_same_or_subdomain, to_a_labels
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.mail.shown_domains import domains_shown, turns_an_address

_FIX = (
    "Choose a sender in another domain, or have the operator change protected_domains"
    " (PREFECT_INTEGRATIONS_SMTP_RELAY_PROTECTED_DOMAINS)."
)
_NOT_SENDERS = frozenset(
    {"in-reply-to", "references", "list-unsubscribe", "list-unsubscribe-post", "x-original-to"}
)
"""Message-IDs of others, where readers unsubscribe, recipients; others may name a sender."""

_CLAIMS = ("authentication-results", "received-spf", "domainkey-signature", "-dkim-signature")
"""Ends of the names of fields that say who a mail is from by a domain alone."""


FROM_PENDING = Mailbox("from-not-set", "outbox.invalid")
"""The From of a message that was stored while nobody named one.

The relay that takes the message later decides on the From and replaces this one. RFC 2606,
section 2, reserves ``.invalid``: it can never be anybody's address.
"""


@dataclass(frozen=True)
class SenderPolicy:
    """Keeps workflows from writing in the name of domains that are not theirs.

    Args:
        protected_domains: domains, and with them their subdomains, that no workflow may use
            as From, Sender, Reply-To or reverse-path; A-labels as from `to_a_labels`.
    """

    protected_domains: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def protecting(cls, domains: Iterable[str]) -> SenderPolicy:
        """Build the policy from domain names in any script and spelling.

        Raises:
            ValueError: one of them is not a domain name.
        """
        return cls(frozenset(to_a_labels(domain.strip().lstrip("@")) for domain in domains))

    def check(self, mailbox: Mailbox, header: str) -> None:
        """Refuse a sender whose domain is protected, or whose display name shows such an address.

        Args:
            mailbox: the sender.
            header: the field it is meant for, for the error.

        Raises:
            ProtectedDomain: naming the field and the domain.
        """
        self._refuse([mailbox.domain], str(mailbox), header)
        self.check_text(f"{mailbox.display_name} {mailbox.local_part}", header)

    def check_text(self, text: str, header: str, *, without_at: bool = False) -> None:
        """Refuse a text in which a reader sees an address of a protected domain.

        Args:
            text: a name or a header's value.
            header: the field it is meant for, for the error.
            without_at: refuse the domain alone too.

        Raises:
            ProtectedDomain: naming the field and the domain.
        """
        if not self.protected_domains:
            return
        if turns_an_address(text):
            problem = f"{text!r} has an @ and characters that turn the direction of reading"
            raise ProtectedDomain(problem, "Remove these characters.", field=header)
        self._refuse(domains_shown(text, without_at=without_at), text, header)

    def check_draft(self, draft: Draft) -> None:
        """Refuse a draft, or a message, that names a protected domain in a field of a sender.

        Its From is checked once it is known who decides on it.

        Raises:
            ProtectedDomain: naming the argument and the domain.
        """
        for name, mailbox in _named_senders(draft) if self.protected_domains else ():
            self.check(mailbox, name)
        for name, value in draft.headers:
            if (lowered := name.lower()) not in _NOT_SENDERS:
                is_claim = lowered.endswith(_CLAIMS)
                self.check_text(value, f"headers[{name!r}]", without_at=is_claim)

    def _refuse(self, domains: Iterable[str], text: str, header: str) -> None:
        for domain in domains:
            if any(is_same_or_subdomain(domain, parent) for parent in self.protected_domains):
                problem = f"{text!r} uses the protected domain {domain}"
                raise ProtectedDomain(problem, _FIX, field=header)


def _named_senders(draft: Draft) -> Iterator[tuple[str, Mailbox]]:
    yield from (("reply_to", mailbox) for mailbox in draft.reply_to)
    named = {
        "from_": draft.requested_from,
        "headers['Sender']": draft.sender,
        "reverse_path": draft.reverse_path,
    }
    yield from ((name, mailbox) for name, mailbox in named.items() if mailbox is not None)


def resolve_sender(requested: Mailbox | None, candidates: Iterable[str]) -> Mailbox | None:
    """Pick the From mailbox: what the action names, else the first candidate that is an address.

    Args:
        requested: the action's ``from_``.
        candidates: texts in the order of preference; empty ones are passed over.

    Returns:
        The mailbox, or None where nobody names one.

    Raises:
        InvalidMailbox: a configured sender is not an address.
    """
    if requested is not None:
        return requested
    return next((Mailbox.parse(c, "from_address") for c in candidates if c.strip()), None)
