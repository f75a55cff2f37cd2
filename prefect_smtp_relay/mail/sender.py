"""Who may stand in the From field, and who does where the action names nobody."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.header import decode_header, make_header

from prefect_smtp_relay.exceptions import ProtectedDomain
from prefect_smtp_relay.mail.domain import is_same_or_subdomain, to_a_labels
from prefect_smtp_relay.mail.mailbox import Mailbox

_DOMAIN_BEHIND_AT = re.compile(r"@\s*([^\s@]+)")
_DOTS_AND_HYPHENS = ".\u3002-_"
# Letters and marks of Unicode's Default_Ignorable_Code_Point: they take no room in a name.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)


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
            ValueError: one of them is no domain name.
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
        shown = f"{mailbox.display_name} {mailbox.local_part}"
        for domain in (mailbox.domain, *_domains_shown(shown)):
            if any(is_same_or_subdomain(domain, parent) for parent in self.protected_domains):
                raise ProtectedDomain(
                    f"{header}: {str(mailbox)!r} uses the protected domain {domain}. Choose a"
                    " sender in another domain, or have the operator change protected_domains."
                )


def _domains_shown(text: str) -> Iterator[str]:
    """Domains of what looks like addresses in a text, however they are typed or encoded."""
    text = f"{text} {make_header(decode_header(text))}" if "=?" in text else text
    text = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf")
    for domain in _DOMAIN_BEHIND_AT.findall("".join(map(_keep_domain_character, visible))):
        try:
            yield to_a_labels(domain.strip(_DOTS_AND_HYPHENS))
        except ValueError:
            continue


def _keep_domain_character(character: str) -> str:
    """Keep letters, marks and digits of any script; what else ends a domain becomes a blank."""
    belongs = character in f"@{_DOTS_AND_HYPHENS}" or unicodedata.category(character)[0] in "LMN"
    return character if belongs else " "


def resolve_sender(requested: Mailbox | None, candidates: Iterable[str]) -> Mailbox | None:
    """Pick the From mailbox: what the action names, else the first candidate that is an address.

    Args:
        requested: the action's ``from_``.
        candidates: texts in the order of preference; blank ones are passed over.

    Returns:
        The mailbox, or None where nobody names one.

    Raises:
        InvalidMailbox: a configured sender is no address.
    """
    if requested is not None:
        return requested
    return next((Mailbox.parse(c, "from_address") for c in candidates if c.strip()), None)
