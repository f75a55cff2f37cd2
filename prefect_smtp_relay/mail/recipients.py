"""Who may get mail: everybody, or only those whom the operator of a staging machine allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from prefect_smtp_relay.exceptions import RecipientNotAllowed
from prefect_smtp_relay.mail.domain import to_a_labels
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Draft

_FIX = (
    "Remove it, or have the operator change allowed_recipients"
    " (PREFECT_INTEGRATIONS_SMTP_RELAY_ALLOWED_RECIPIENTS)."
)
_SUBDOMAINS = "*."


@dataclass(frozen=True)
class RecipientPolicy:
    """Keeps mail from everybody who is not named.

    Args:
        addresses: in lower case.
        domains: A-labels; their subdomains are not included.
        parents: A-labels of domains whose subdomains are allowed, and not they themselves.
    """

    addresses: frozenset[str] = field(default_factory=frozenset)
    domains: frozenset[str] = field(default_factory=frozenset)
    parents: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def allowing(cls, entries: Iterable[str]) -> RecipientPolicy:
        """Build the policy from ``ann@example.org``, ``example.org``, ``*.example.org``.

        Raises:
            ValueError: one of them is neither an address nor a domain.
        """
        names = [entry.strip().removeprefix("@") for entry in entries]
        return cls(
            frozenset(Mailbox.parse(n).address.lower() for n in names if "@" in n),
            frozenset(to_a_labels(n) for n in names if "@" not in n and n[:2] != _SUBDOMAINS),
            frozenset(to_a_labels(n[2:]) for n in names if "@" not in n and n[:2] == _SUBDOMAINS),
        )

    def check(self, draft: Draft) -> None:
        """Refuse a draft, or a message, that has a recipient who is not allowed.

        Raises:
            RecipientNotAllowed: naming the argument and the addresses; of Bcc only their number.
        """
        if self == _EVERYBODY:
            return
        for name in ("to", "cc", "bcc"):
            if refused := [each for each in getattr(draft, name) if not self._allows(each)]:
                shown = ", ".join(each.address for each in refused)
                who = f"{len(refused)} of its addresses" if name == "bcc" else shown
                problem = f"{who} cannot get mail: not in allowed_recipients"
                raise RecipientNotAllowed(problem, _FIX, field=name)

    def _allows(self, mailbox: Mailbox) -> bool:
        domain = mailbox.domain
        return (
            mailbox.address.lower() in self.addresses
            or domain in self.domains
            or any(domain.endswith(f".{parent}") for parent in self.parents)
        )


_EVERYBODY = RecipientPolicy()
