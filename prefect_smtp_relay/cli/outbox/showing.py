"""``outbox show``: one stored mail, to read or to take along."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from prefect_smtp_relay.cli.ages import ago
from prefect_smtp_relay.cli.answer import DONE, Answer, Flag, Json, Line, UsageError, beside, show
from prefect_smtp_relay.cli.outbox.choosing import choose_one
from prefect_smtp_relay.cli.outbox.describing import NO_SUBJECT, as_data, recipients_of, why
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.sender import FROM_PENDING
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.spool.local import LocalStore
from prefect_smtp_relay.transports.outbox import Outbox, StoredMail
from prefect_smtp_relay.transports.outbox.record import Happening

_NO_SENDER = "nobody yet: the relay that takes it decides"
_TIME = "%Y-%m-%d %H:%M:%S UTC"


def outbox_show(
    entry: str,
    /,
    *,
    eml: Annotated[Flag, Parameter(name="--eml")] = False,
    output: Path | None = None,
    as_json: Json = False,
) -> int:
    """Show a stored mail: its header, who gets it, why it waits, its history, and its text.

    Args:
        entry: ID, or the beginning of one; `outbox list` shows them.
        eml: Write the whole mail to stdout, as an .eml file. Bcc recipients are not in it.
        output: Write it to this file.
        as_json: Print one JSON document.
    """
    if eml and (as_json or output):
        raise UsageError("--eml writes to stdout. Leave out --json and --output.")
    outbox = open_outbox(current_settings())
    mail = choose_one(outbox, entry)
    if eml:
        _pipe(outbox.text(mail))
        return DONE
    if output is not None:
        return show(_written(outbox, mail, output), as_json=as_json)
    return show(_shown(outbox, mail), as_json=as_json)


def _pipe(data: bytes) -> None:
    """Write bytes to stdout; who reads them may have read enough, as `less` and `head` do."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # What is left in the buffer is written at exit, and must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _written(outbox: Outbox, mail: StoredMail, file: Path) -> Answer:
    if file.is_dir():
        raise UsageError(f"--output: {file} is a directory. Name a file: {file / 'mail.eml'}.")
    if not file.parent.is_dir():
        raise UsageError(f"--output: there is no directory {file.parent}. Make it first.")
    try:
        LocalStore(file.parent, "--output").replace(file.name, outbox.text(mail))
    except RelayConfigurationError as error:
        raise UsageError(str(error)) from error
    return Answer({"id": mail.id, "file": str(file)}, [f"{mail.id} is in {file}."])


def _shown(outbox: Outbox, mail: StoredMail) -> Answer:
    message, _ = outbox.read(mail)
    history = outbox.history(mail)
    data = {
        **as_data(mail),
        "header": dict(_header(message)),
        "attachments": [file.name for file in (*message.attachments, *message.inline_images)],
        "history": [each.model_dump(mode="json") for each in history],
        "text": message.text,
    }
    stored = f"{mail.stored_at:{_TIME}}, {ago(mail.stored_at)}"
    rows = [("stored", stored), ("for", recipients_of(mail)), ("why", why(mail))]
    lines: list[Line] = [f"id      {mail.id}", f"file    {mail.place}", *_table(rows)]
    lines += [*_told(history), "", *_table([*_header(message), *_files(message)]), ""]
    return Answer(data, [*lines, *message.text.expandtabs().splitlines()])


def _header(message: Message) -> Iterator[tuple[str, str]]:
    yield "From", _NO_SENDER if message.from_ == FROM_PENDING else str(message.from_)
    for name in ("to", "cc", "reply_to"):
        if mailboxes := getattr(message, name):
            yield name.replace("_", "-").capitalize(), ", ".join(map(str, mailboxes))
    yield "Subject", message.subject or NO_SUBJECT
    yield "Date", f"{message.date.astimezone(UTC):{_TIME}}"
    yield "Message-ID", message.message_id
    yield from message.headers


def _files(message: Message) -> Iterator[tuple[str, str]]:
    for file in (*message.attachments, *message.inline_images):
        yield "attached", f"{file.name}, {file.size:,} bytes"


def _told(history: Sequence[Happening]) -> Iterator[Line]:
    """What has happened since it was stored, if anything has."""
    if len(history) > 1:
        yield "history"
        yield from (beside(f"  {each.at:{_TIME}}  ", each.reason) for each in history)


def _table(rows: list[tuple[str, str]]) -> Iterator[Line]:
    width = max(len(label) for label, _ in rows)
    for label, text in rows:
        yield beside(f"{label:<{width}}  ", text)
