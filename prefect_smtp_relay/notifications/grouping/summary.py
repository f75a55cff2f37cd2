"""The mail that tells of many failures of one kind, as subject and Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.settings import PREFECT_UI_URL

from prefect_smtp_relay.compose.options import MailOptions
from prefect_smtp_relay.notifications.grouping.kind import Kind, Occurrence
from prefect_smtp_relay.notifications.own_mail import OwnMail, buttons, facts, one_line
from prefect_smtp_relay.notifications.times import format_time
from prefect_smtp_relay.rendering.quoting import code_block, escape_markdown

_MAX_SUBJECT = 100
_FIRST_LINKS, _LAST_LINKS = 10, 40


def summarise(
    kind: Kind, occurrences: Sequence[Occurrence], first: Occurrence | None, **told: str
) -> OwnMail:
    """Write the summary.

    Args:
        kind: what the failures have in common.
        occurrences: what was counted; at least one.
        first: the one that was mailed at once, where that is known.
        told: the subject and the thread of its mail, where it went out.
    """
    runs = sorted(occurrences, key=lambda each: each.moment)
    count = f"{len(runs)} more {'time' if len(runs) == 1 else 'times'}"
    since = f"{format_time(runs[0].moment)} to {format_time(runs[-1].moment)}"
    links = {
        "Open these runs in Prefect": _runs_page(kind, runs),
        "First run": runs[0].url,
        "Last run": runs[-1].url,
    }
    sections = [
        f"# {escape_markdown(kind.name)} failed {count}",
        code_block(kind.cause),
        buttons(links),
        facts({"Counted": since, "Mailed before": _say(first) if first else ""}),
        f"## The runs\n\n{_list(runs)}",
    ]
    return {
        "subject": told.get("subject") or one_line(f"{kind.name} failed", _MAX_SUBJECT),
        "body": "\n\n".join(section for section in sections if section),
        "preheader": one_line(f"{count}, {since}: {kind.cause}", 200),
        "thread": told.get("thread") or kind.key,
        "tone": "critical",
        "labels": [f"{len(runs)} more"],
    }
