"""Task runs that are named by the mail they send: what is seen of them in Prefect's UI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prefect_smtp_relay.mail.left_out import LeftOut
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.transports.masking import mask

_MAX_LENGTH, _MAX_DOMAIN = 100, 60
_CUT = "\N{HORIZONTAL ELLIPSIS}"
_SPACES_AND_CONTROLS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def name_of_one(parameters: Mapping[str, Any]) -> str:
    """Name a task run by subject and domains, as ``INC-42: Checkout fails to acme.example``.

    Args:
        parameters: those of `send_an_email`; what is wrong with them is told by the task itself.
    """
    try:
        options = parameters.get("options", {})
        return _name({**options, **parameters})
    except Exception:  # a name must never be what stops a mail
        return "Send an email"


def name_of_many(parameters: Mapping[str, Any]) -> str:
    """Name a task run by how many mails it sends, and the first of them."""
    try:
        mails: Sequence[Mapping[str, Any]] = parameters["mails"]
        return f"{len(mails)} mail{'s' * (len(mails) > 1)}, first: {_name(mails[0])}"[:_MAX_LENGTH]
    except Exception:  # as above
        return "Send many emails"


def _name(mail: Mapping[str, Any]) -> str:
    subject, to = mail["subject"], mail["to"]
    if mail.get("context") is not None and "{" in f"{subject}{to}":
        # Jinja is slow to import, and most mails have no context.
        from prefect_smtp_relay.templating.arguments import fill_arguments

        left_out = LeftOut(refuses=False)
        given = {"subject": subject, "to": to}
        filled, _ = fill_arguments(given, mail["context"], left_out=left_out)
        subject, to = filled["subject"], filled["to"]
    return _fit(mask(str(subject)), _domains(Mailbox.parse_list(to, "to")))


def _domains(mailboxes: Iterable[Mailbox]) -> str:
    domains = list(dict.fromkeys(mailbox.domain for mailbox in mailboxes))
    more = f" and {len(domains) - 1} more" if domains[1:] else ""
    return f" to {domains[0][:_MAX_DOMAIN]}{more}" if domains else ""


def _fit(subject: str, domains: str) -> str:
    line = _SPACES_AND_CONTROLS.sub(" ", subject).strip()
    room = _MAX_LENGTH - len(domains)
    return f"{line if len(line) <= room else line[: room - 1] + _CUT}{domains}"
