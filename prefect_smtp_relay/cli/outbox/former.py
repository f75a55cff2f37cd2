"""``outbox import``: mail that an earlier version stored elsewhere."""

from __future__ import annotations

from pathlib import Path

from prefect.settings import get_current_settings

from prefect_smtp_relay.cli.answer import Answer, Json, Line, show
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.settings import current_settings


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


def told_of_former() -> list[Line]:
    """Say where mail of an earlier version waits, if any does."""
    former = _former_default()
    if not any(former.glob("*.eml")):
        return []
    text = "Mail of an earlier version waits in"
    return [f"{text} {former}: `prefect-smtp-relay outbox import` moves it here."]


def _former_default() -> Path:
    return get_current_settings().home / "smtp-relay" / "outbox"
