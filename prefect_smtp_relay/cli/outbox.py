"""``outbox list``, ``outbox flush`` and ``outbox import``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect.settings import get_current_settings

from prefect_smtp_relay.cli.answer import DONE, PROBLEM, Answer, Json, Line, UsageError, show
from prefect_smtp_relay.delivery.resubmit import flush
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.transports.outbox import FlushReport, StoredMail


def outbox_list(*, as_json: Json = False) -> int:
    """List the stored mails, oldest first, with the reason for each."""
    entries = open_outbox(current_settings()).entries()
    lines: list[Line] = []
    for entry in entries:
        lines.append(f"{entry.id}  {entry.stored_at:%Y-%m-%d %H:%M:%S} UTC  {entry.subject}")
        lines.append(f"    {_state(entry)}")
    lines.append(f"{len(entries)} stored." if entries else "The outbox is empty.")
    data = {"stored": list(map(_as_data, entries))}
    return show(Answer(data, lines, _told_of_former()), as_json=as_json)


def outbox_flush(*ids: str, as_json: Json = False) -> int:
    """Submit the stored mails through the connected relay.

    A mail that the relay may have accepted already is only submitted where it is named.

    Args:
        ids: Only these entries; `outbox list` shows their names.
        as_json: Print one JSON document.
    """
    settings = current_settings()
    if ids:
        entries = {entry.id for entry in open_outbox(settings).entries()}
        if missing := [entry for entry in ids if entry not in entries]:
            raise UsageError(f"there is no entry {', '.join(missing)}. `outbox list` shows all.")
    return show(_answer(flush(settings, ids)), as_json=as_json)


def outbox_import(directory: Path | None = None, /, *, as_json: Json = False) -> int:
    """Move the mails into the spool that an earlier version stored in a directory.

    Args:
        directory: The former outbox_path; by default smtp-relay/outbox in Prefect's home.
        as_json: Print one JSON document.
    """
    settings, former = current_settings(), directory or _former_default()
    opened = settings.model_copy(update={"spool": str(former)}).open_spool()
    moved = open_outbox(settings).import_from(opened)
    line = f"{moved} moved from {former} to {settings.open_spool().name}."
    return show(Answer({"moved": moved}, [line]), as_json=as_json)


def _former_default() -> Path:
    return get_current_settings().home / "smtp-relay" / "outbox"


def _told_of_former() -> list[Line]:
    former = _former_default()
    if not any(former.glob("*.eml")):
        return []
    text = "Mail of an earlier version waits in"
    return [f"{text} {former}: `prefect-smtp-relay outbox import` moves it here."]


def _as_report(report: FlushReport) -> dict[str, Any]:
    return {
        "accepted": [receipt.model_dump(mode="json") for receipt in report.accepted],
        "failed": [{"id": entry, "reason": reason} for entry, reason in report.failed],
        "unknown": report.unknown,
        "remaining": report.remaining,
        "stopped": report.stopped,
    }


def _answer(report: FlushReport) -> Answer:
    lines = [f"{receipt.relay} accepted {receipt.message_id}" for receipt in report.accepted]
    if not report.stopped or report.accepted:
        lines.append(f"{len(report.accepted)} accepted, {report.remaining} left in the outbox.")
    complaints: list[Line] = [f"{entry}: {reason}" for entry, reason in report.failed]
    complaints += [
        f"{entry}: a relay may have accepted it. Look for its Message-ID in the relay's log; name"
        " the entry to submit it again."
        for entry in report.unknown
    ]
    complaints += [report.stopped] if report.stopped else []
    complaints += _told_of_former()
    code = PROBLEM if report.failed or report.remaining else DONE
    return Answer(_as_report(report), lines, complaints, code)


def _as_data(entry: StoredMail) -> dict[str, Any]:
    return {
        "id": entry.id,
        "place": entry.place,
        "stored_at": entry.stored_at.isoformat(),
        "subject": entry.subject,
        "from": entry.from_,
        "message_id": entry.message_id,
        "recipients": entry.recipients,
        "size": entry.size,
        "state": _state(entry),
        "readable": not entry.error,
    }


def _state(entry: StoredMail) -> str:
    if entry.error:
        return f"cannot be read: {entry.error}"
    if entry.claimed:
        return "is being submitted by a flush"
    note = "a flush was interrupted, so a relay may have accepted it; " * entry.interrupted
    note = note or "a relay may have accepted it; " * entry.may_be_accepted
    return f"{entry.recipients} recipient(s); {note}{entry.reason}"
