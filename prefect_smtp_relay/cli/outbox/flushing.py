"""``outbox flush``: submits what waits; a person is asked first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cyclopts import Parameter

from prefect_smtp_relay.cli.answer import DONE, PROBLEM, Answer, Flag, Json, Line, note, show
from prefect_smtp_relay.cli.outbox.choosing import choose, whole_ids
from prefect_smtp_relay.cli.outbox.discarding import DryRun, discard_as_data, lines_of_discard
from prefect_smtp_relay.cli.outbox.former import told_of_former
from prefect_smtp_relay.cli.outbox.plan import Plan
from prefect_smtp_relay.cli.prompts import ask_which, ask_yes, is_interactive
from prefect_smtp_relay.delivery.discard import flush_newest
from prefect_smtp_relay.delivery.next_mail import look_up
from prefect_smtp_relay.delivery.resubmit import flush
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.settings import SmtpRelaySettings, current_settings
from prefect_smtp_relay.transports.outbox import DiscardReport, FlushReport

ALL, NEWEST, TEST, NOTHING = "a", "n", "t", "q"


@Parameter(name="*")
@dataclass(frozen=True)
class Which:
    """Which mails to flush, and how.

    Args:
        older_than: Only those that were stored so long ago or longer: 30m, 2h, 3d.
        newest_copy: Of the same mail that waits more than once, submit the newest one, and discard
            the others once a relay has accepted it.
        dry_run: Show what would be submitted, and submit nothing.
        yes: Do not ask.
    """

    older_than: str | None = None
    newest_copy: Flag = False
    dry_run: DryRun = False
    yes: Flag = False


_USUAL = Which()


def outbox_flush(*entries: str, which: Which = _USUAL, as_json: Json = False) -> int:
    """Submit the stored mails through the connected relay.

    Args:
        entries: Only these: IDs, or the beginnings of some. `outbox list` shows them.
        which: Which mails to flush, and how.
        as_json: Print one JSON document.
    """
    settings = current_settings()
    outbox = open_outbox(settings)
    is_asked = is_interactive() and not which.yes and bool(outbox.count())
    if not (is_asked or which.dry_run or which.older_than or which.newest_copy):
        # Scripts flush thousands: nothing is read before its turn.
        return show(_answer(flush(settings, whole_ids(outbox, entries))), as_json=as_json)
    mails = choose(outbox, entries, which.older_than)
    plan = Plan(mails, bool(entries), look_up())
    if which.dry_run:
        return show(_dry(plan), as_json=as_json)
    decision = NEWEST if which.newest_copy else ALL
    if is_asked and plan.has_relay and plan.is_to_be_asked_about:
        show_plan(plan)
        decision = ask_about(plan, wants_newest=which.newest_copy)
    return show(carry_out(settings, plan, decision), as_json=as_json)


def show_plan(plan: Plan) -> None:
    """Show what would be submitted, next to the question about it."""
    for line in plan.lines():
        note(line)


def ask_about(plan: Plan, *, wants_newest: bool = False, may_test: bool = False) -> str:
    """Ask what is to become of the mails of a plan.

    Args:
        plan: which has mails.
        wants_newest: whether it is decided that of copies only the newest goes.
        may_test: whether a test mail is one of the answers.

    Returns:
        `ALL`, `NEWEST`, `TEST` or `NOTHING`.
    """
    them = f"all {len(plan.mails)}" if len(plan.mails) > 1 else "it"
    if not may_test and (wants_newest or not plan.copies):
        decision = NEWEST if wants_newest else ALL
        return decision if ask_yes(f"Submit {them}") else NOTHING
    choices = {ALL: f"submit {them}"}
    if plan.extra:
        choices[NEWEST] = f"submit the newest of copies, and discard {_older(plan.extra)}"
    if may_test:
        choices[TEST] = "send a test mail first"
    return ask_which("What shall be done", choices | {NOTHING: "nothing: leave them for later"})


def carry_out(settings: SmtpRelaySettings, plan: Plan, decision: str) -> Answer:
    """Do what somebody has decided about the mails of a plan, and about no other ones."""
    ids = [mail.id for mail in plan.chosen]
    if decision == NOTHING:
        report = FlushReport(remaining=open_outbox(settings).count())
        return Answer(_as_data(report), ["Nothing was submitted."], code=PROBLEM)
    if decision == NEWEST:
        return _answer(*flush_newest(settings, ids, plan.copies, is_named=plan.is_named))
    return _answer(flush(settings, ids if plan.is_named else (), among=ids))


def _dry(plan: Plan) -> Answer:
    lines = [*plan.lines(), "Nothing was submitted: this was a dry run."]
    return Answer(
        plan.as_data(), lines, code=PROBLEM if plan.mails and not plan.has_relay else DONE
    )


def _older(count: int) -> str:
    return "1 older copy" if count == 1 else f"{count} older copies"


def _as_data(report: FlushReport) -> dict[str, Any]:
    return {
        "accepted": [receipt.model_dump(mode="json") for receipt in report.accepted],
        "failed": [{"id": entry, "reason": reason} for entry, reason in report.failed],
        "unknown": report.unknown,
        "remaining": report.remaining,
        "stopped": report.stopped,
    }


def _answer(report: FlushReport, discarded: DiscardReport | None = None) -> Answer:
    lines: list[Line] = [
        f"{receipt.relay} accepted {receipt.message_id}" for receipt in report.accepted
    ]
    if discarded and discarded.discarded:
        lines.append(f"{_older(len(discarded.discarded))} discarded.")
    if not report.stopped or report.accepted:
        lines.append(f"{len(report.accepted)} accepted, {report.remaining} left in the outbox.")
    complaints = [*_complaints(report), *(lines_of_discard(discarded) if discarded else ())]
    data = _as_data(report) | ({"copies": discard_as_data(discarded)} if discarded else {})
    code = PROBLEM if report.failed or report.remaining else DONE
    return Answer(data, lines, [*complaints, *told_of_former()], code)


def _complaints(report: FlushReport) -> Iterator[Line]:
    for entry, reason in report.failed:
        yield f"{entry}: {reason}"
    for entry in report.unknown:
        yield (
            f"{entry}: a relay may have accepted it. Look for its Message-ID in the relay's log;"
            " name the entry to submit it again."
        )
    if report.stopped:
        yield report.stopped
