"""``outbox discard``: removes what nobody wants to submit any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from prefect_smtp_relay.cli.answer import (
    DONE,
    PROBLEM,
    Answer,
    Flag,
    Json,
    Line,
    UsageError,
    note,
    show,
)
from prefect_smtp_relay.cli.outbox.choosing import choose
from prefect_smtp_relay.cli.outbox.describing import as_data, how_many, shortened
from prefect_smtp_relay.cli.prompts import ask_yes, is_interactive
from prefect_smtp_relay.delivery.discard import discard
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.transports.outbox import DiscardReport, StoredMail

DryRun = Annotated[bool, Parameter(name="--dry-run", negative="", show_default=False)]


def outbox_discard(
    *entries: str,
    older_than: str | None = None,
    dry_run: DryRun = False,
    yes: Flag = False,
    as_json: Json = False,
) -> int:
    """Remove stored mails for good; nobody submits them any more.

    Args:
        entries: IDs, or the beginnings of some; `outbox list` shows them.
        older_than: Only those that were stored so long ago or longer: 30m, 2h, 3d.
        dry_run: Show what would be removed, and remove nothing.
        yes: Do not ask.
        as_json: Print one JSON document.
    """
    if not entries and older_than is None:
        raise UsageError("Name the entries to discard, or use --older-than.")
    settings = current_settings()
    mails = choose(open_outbox(settings), entries, older_than)
    if not entries:  # who wants one gone that cannot be read names it
        mails = [mail for mail in mails if not mail.error]
    if dry_run:
        return show(_answer_of_dry_run(mails), as_json=as_json)
    if not mails:
        return show(_answer(DiscardReport()), as_json=as_json)
    if not yes and not _is_wanted(mails):
        return show(_answer(DiscardReport(), "Nothing was discarded."), as_json=as_json)
    return show(_answer(discard(settings, [mail.id for mail in mails])), as_json=as_json)


def lines_of_discard(report: DiscardReport) -> Iterator[Line]:
    """What became of mails that somebody wanted to discard."""
    for entry in report.claimed:
        yield f"{entry}: a flush is submitting it now, so it was not discarded."
    for entry, reason in report.failed:
        yield f"{entry}: {reason}"


def discard_as_data(report: DiscardReport) -> dict[str, Any]:
    """For ``--json``."""
    return {
        "discarded": report.discarded,
        "claimed": report.claimed,
        "failed": [{"id": entry, "reason": reason} for entry, reason in report.failed],
    }


def _is_wanted(mails: Sequence[StoredMail]) -> bool:
    if not is_interactive():
        raise UsageError("Nothing was discarded: nobody can be asked here. Add --yes.")
    for line in _plan(mails):
        note(line)
    return ask_yes("Discard for good")


def _plan(mails: Sequence[StoredMail]) -> Iterator[Line]:
    yield f"{how_many(mails)}:" if mails else "No mail would be discarded."
    yield from shortened(mails)


def _answer_of_dry_run(mails: Sequence[StoredMail]) -> Answer:
    data = {"dry_run": True, "would_discard": list(map(as_data, mails))}
    return Answer(data, [*_plan(mails), "Nothing was discarded: this was a dry run."])


def _answer(report: DiscardReport, line: str = "") -> Answer:
    line = line or f"{len(report.discarded)} discarded."
    code = PROBLEM if report.claimed or report.failed else DONE
    return Answer(discard_as_data(report), [line], list(lines_of_discard(report)), code)
