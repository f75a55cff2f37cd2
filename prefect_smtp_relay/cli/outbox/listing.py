"""``outbox list``: what waits, for whom, how long, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prefect_smtp_relay.cli.answer import Answer, Json, Line, show
from prefect_smtp_relay.cli.outbox.choosing import choose
from prefect_smtp_relay.cli.outbox.describing import (
    about_copies,
    as_data,
    how_many,
    lines_of,
)
from prefect_smtp_relay.cli.outbox.former import told_of_former
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.transports.outbox import StoredMail
from prefect_smtp_relay.transports.outbox.stored_mail import copies


def outbox_list(*, older_than: str | None = None, as_json: Json = False) -> int:
    """List the stored mails, oldest first: who gets them, how old they are, and why they wait.

    Args:
        older_than: Only those that were stored so long ago or longer: 30m, 2h, 3d.
        as_json: Print one JSON document.
    """
    mails = choose(open_outbox(current_settings()), older_than=older_than)
    data = {
        "stored": list(map(as_data, mails)),
        "copies": [[mail.id for mail in group] for group in copies(mails)],
    }
    nothing = (
        "The outbox is empty." if older_than is None else f"No mail is older than {older_than}."
    )
    lines = list(_lines(mails)) if mails else [nothing]
    return show(Answer(data, lines, told_of_former()), as_json=as_json)


def _lines(mails: Sequence[StoredMail]) -> Iterator[Line]:
    for mail in mails:
        yield from lines_of(mail)
    yield f"{how_many(mails)}."
    if repeated := list(about_copies(mails)):
        yield from repeated
        yield "`prefect-smtp-relay outbox flush --newest-copy` submits each of these once."
