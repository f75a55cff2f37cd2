"""The mail that tells of many failures of one kind, as subject and Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from prefect_smtp_relay.notifications.causes import say_state
from prefect_smtp_relay.notifications.grouping.kind import Kind, Occurrence
from prefect_smtp_relay.notifications.own_mail import OwnMail, buttons, facts, one_line
from prefect_smtp_relay.notifications.run_links import runs_url
from prefect_smtp_relay.notifications.times import format_time
from prefect_smtp_relay.rendering.quoting import code_block, escape_markdown

_MAX_SUBJECT = 100
_FIRST_LINKS, _LAST_LINKS = 5, 15
_FAILURES = ("Failed", "Crashed", "TimedOut")
_MARGIN = timedelta(seconds=2)


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
    more = " more" if first else ""
    count = f"{len(runs)}{more} time{'s' if len(runs) != 1 else ''}"
    times = dict.fromkeys(format_time(run.moment) for run in (runs[0], runs[-1]))
    when = " to ".join(times)
    links = {
        "Open these runs in Prefect": _runs_page(kind, runs),
        "First run": runs[0].url,
        "Last run": runs[-1].url,
    }
    event, is_failure = say_state(kind.state), kind.state in _FAILURES
    sections = [
        f"# {escape_markdown(f'{kind.name} {event}'.strip())}{'' if event else ':'} {count}",
        code_block(kind.cause, "error" if is_failure else "text"),
        buttons(links),
        facts({"When": when, "Mailed before": _say(first) if first else ""}),
        f"## The runs\n\n{_list(runs)}",
    ]
    return {
        "subject": told.get("subject") or one_line(f"{kind.name} {event}", _MAX_SUBJECT),
        "body": "\n\n".join(section for section in sections if section),
        "preheader": one_line(f"{count}, {when}: {kind.cause}", 200),
        "thread": told.get("thread") or kind.key,
        "tone": "critical" if is_failure else "info",
        "labels": [one_line(f"{len(runs)}{more} {event}")],
    }


def _say(occurrence: Occurrence) -> str:
    return f"{occurrence.name}, {format_time(occurrence.moment)}"


def _list(runs: Sequence[Occurrence]) -> str:
    """Link to the first and to the last runs: a mail of more is cut off by mail programs."""
    if len(runs) <= _FIRST_LINKS + _LAST_LINKS:
        return ", ".join(map(_link, runs))
    left_out = len(runs) - _FIRST_LINKS - _LAST_LINKS
    first = ", ".join(map(_link, runs[:_FIRST_LINKS]))
    last = ", ".join(map(_link, runs[-_LAST_LINKS:]))
    return f"{first}, {left_out} more, {last}"


def _link(run: Occurrence) -> str:
    name = escape_markdown(one_line(run.name, _MAX_SUBJECT))
    return f"[{name}](<{run.url}>)" if run.url else name


def _runs_page(kind: Kind, runs: Sequence[Occurrence]) -> str:
    """The list of the flow's runs in such states, from the first one's start to the last one's."""
    began = sorted(datetime.fromisoformat(run.began) for run in runs if run.began)
    if not (kind.flow_id and began):
        return ""
    states = _FAILURES if kind.state in _FAILURES else (kind.state,)
    flows = [UUID(kind.flow_id)]
    return runs_url(states, began[0] - _MARGIN, began[-1] + _MARGIN, flows)
