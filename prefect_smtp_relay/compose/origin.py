"""Where a mail comes from: for its footer, and for header fields that readers filter by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from prefect_smtp_relay.compose.options import MailArguments
from prefect_smtp_relay.mail.headers.unsubscribe import unsubscribe_headers
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.rendering.quoting import escape_markdown

_CONTROLS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_FIRST_URL = re.compile(r"<[^>]+>")
_NOT_IN_LABEL = re.compile(r"[^a-z0-9]+")
_MAX_NAME, _MAX_LABEL = 200, 60


@dataclass(frozen=True, slots=True)
class Origin:
    """What made a mail, and why its recipients get it.

    Args:
        who: Markdown, such as ``the flow **nightly-import**``: who names the recipients; empty
            where that is unknown.
        flow, deployment: their names.
        state: of the run that the mail is about.
    """

    who: str = ""
    flow: str = ""
    deployment: str = ""
    state: str = ""

    def footer(self, mail: MailArguments) -> str:
        """Say in Markdown why the mail comes, and how its recipients stop such mails."""
        why = f"because {self.who} names you" if self.who else "from Prefect because you are named"
        return f"You get this mail {why} as a recipient. {_how_it_stops(mail)}"

    def headers(self, written: Mapping[str, str | None] | None) -> Mapping[str, str | None] | None:
        """Add the names as header fields, but for those that the caller has written.

        A List-Id without a domain of its own ends in ``localhost`` (RFC 2919, section 3).
        """
        if not self.flow or not (written is None or isinstance(written, Mapping)):
            return written  # what is not a mapping is refused where headers are read
        labels = [*filter(None, (self.deployment, self.flow)), "prefect", "localhost"]
        ours = {
            "X-Prefect-Flow": _in_one_line(self.flow),
            "X-Prefect-Deployment": _in_one_line(self.deployment),
            "X-Prefect-State": _in_one_line(self.state),
            "List-Id": f"<{'.'.join(map(_label, labels))}>",
        }
        given = {str(name).lower() for name in written or ()}
        missing = {n: value for n, value in ours.items() if value and n.lower() not in given}
        return {**missing, **(written or {})}


def _how_it_stops(mail: MailArguments) -> str:
    """Name what the caller gave for it; else those who run the flow."""
    unsubscribe = dict(unsubscribe_headers(mail.get("list_unsubscribe"), ()))
    if found := _FIRST_URL.match(unsubscribe.get("List-Unsubscribe", "")):
        return f"To get no more such mails, [unsubscribe]({found[0]})."
    if mail.get("reply_to"):
        addresses = (m.address for m in Mailbox.parse_list(mail["reply_to"], "reply_to"))
        return f"To get no more such mails, reply to {escape_markdown(', '.join(addresses))}."
    return "To get no more such mails, ask those who run it to remove you."


def _in_one_line(name: str) -> str:
    return _CONTROLS.sub(" ", name).strip()[:_MAX_NAME]


def _label(name: str) -> str:
    """Write a name as a part of a List-Id, which has only letters, digits and hyphens."""
    name = name.lower().encode("ascii" if name.isascii() else "punycode", "replace").decode()
    return _NOT_IN_LABEL.sub("-", name).strip("-")[:_MAX_LABEL] or "x"
