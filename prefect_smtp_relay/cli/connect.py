"""``connect``: checks a relay, then saves it as a block document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from cyclopts import Parameter

from prefect_smtp_relay.blocks.environment import (
    document_name_from_environment,
    fields_from_environment,
    variable,
)
from prefect_smtp_relay.blocks.relays import SMTP, RelayBlock, SendGrid
from prefect_smtp_relay.cli.again import ask_again, questions_about
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
from prefect_smtp_relay.cli.api import announce_api
from prefect_smtp_relay.cli.fields import SendGridFields, SmtpFields
from prefect_smtp_relay.cli.first_flush import offer_to_flush
from prefect_smtp_relay.cli.gather import build, gather
from prefect_smtp_relay.cli.prompts import ask_yes, is_interactive
from prefect_smtp_relay.cli.reports import describe_report
from prefect_smtp_relay.delivery.next_mail import look_up
from prefect_smtp_relay.delivery.outbox_state import look_into_outbox
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.runtime import connections as documents
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.transports.check_report import Report

B = TypeVar("B", bound=RelayBlock)
Fields = dict[str, Any]

_NAME = re.compile(r"[a-z0-9-]+")
_MAX_CORRECTIONS = 3
_WHO = {"address", "tls_server_name", "ca_certificate", "ssl_verify_mode", "allow_cleartext_auth"}
_NO_SMTP_FIELDS, _NO_SENDGRID_FIELDS = SmtpFields(), SendGridFields()


@Parameter(name="*")
@dataclass(frozen=True)
class How:
    """How to connect.

    Args:
        name: Of the block document; without it, default.
        from_env: Read the fields from SMTP_... or SENDGRID_..., and ask nothing.
        check: Check the relay first, and save it only if no step fails.
        overwrite: Replace a block document of that name.
    """

    name: str | None = None
    from_env: Flag = False
    check: bool = True
    overwrite: Flag = False


_USUAL = How()


def connect_smtp(
    *,
    how: How = _USUAL,
    preset: str | None = None,
    password_stdin: Flag = False,
    fields: SmtpFields = _NO_SMTP_FIELDS,
    as_json: Json = False,
) -> int:
    """Check an SMTP server, and save it as a Prefect block.

    Args:
        how: The name, and how to connect.
        preset: A known mail service; `prefect-smtp-relay preset` lists them.
        password_stdin: Read the password from the first line of stdin.
        fields: Of the block.
        as_json: Print one JSON document.
    """
    with _not_connected():
        name = _free_name(SMTP, how)
        gathered = gather(
            SMTP,
            fields.given(),
            preset=preset,
            from_env=how.from_env,
            secret_from_stdin=password_stdin,
        )
        answer = _connect(SMTP, gathered, name, how)
    return _show(answer, how, as_json=as_json)


def connect_sendgrid(
    *,
    how: How = _USUAL,
    api_key_stdin: Flag = False,
    fields: SendGridFields = _NO_SENDGRID_FIELDS,
    as_json: Json = False,
) -> int:
    """Check a SendGrid account, and save it as a Prefect block.

    Args:
        how: The name, and how to connect.
        api_key_stdin: Read the key from the first line of stdin.
        fields: Of the block.
        as_json: Print one JSON document.
    """
    with _not_connected():
        name = _free_name(SendGrid, how)
        gathered = gather(
            SendGrid, fields.given(), from_env=how.from_env, secret_from_stdin=api_key_stdin
        )
        answer = _connect(SendGrid, gathered, name, how)
    return _show(answer, how, as_json=as_json)


@contextmanager
def _not_connected() -> Iterator[None]:
    announce_api()
    try:
        yield
    except UsageError as error:
        raise UsageError(f"Not connected: {error}") from None


def _free_name(block: type[RelayBlock], how: How) -> str:
    """Choose the document's name, before anything is asked or checked."""
    from_env = document_name_from_environment(block) if how.from_env else ""
    name = how.name or from_env or "default"
    if not _NAME.fullmatch(name):
        label = "--name" if how.name else variable(block, "block_name")
        raise UsageError(f"{label}: use lower-case letters, digits and dashes only.")
    relay = f"{block.get_block_type_slug()}/{name}"
    if not how.overwrite and relay in {found.name for found in catalog.documents()}:
        raise UsageError(f"there is a block {relay}. Replace it with --overwrite, or use --name.")
    return name


def _connect(block_type: type[RelayBlock], fields: Fields, name: str, how: How) -> Answer:
    block, report = build(block_type, fields, from_env=how.from_env), None
    if how.check:
        may_ask = is_interactive() and not how.from_env
        block, report = _checked(block, fields) if may_ask else (block, block.check())
    relay = f"{block.get_block_type_slug()}/{name}"
    data = {"relay": relay, "connected": False, "report": report and report.model_dump()}
    lines: list[Line] = [*describe_report(report), ""] if report else []
    if report and not report.has_passed:
        text = "Not connected: a step failed. Fix it, or use --no-check to save all the same."
        return Answer(data, lines, [text], PROBLEM)
    documents.connect(block, name, overwrite=how.overwrite)
    next_mail = look_up()
    source = _variables(block_type) if how.from_env else ""
    lines += [f"Connected {relay}{source}.", next_mail.sentence]
    waiting = look_into_outbox(current_settings())
    if waiting.error or waiting.entries:
        lines.append(waiting.text)
    more = {"connected": True, "next_mail": next_mail.as_data(), "outbox": waiting.as_data()}
    return Answer(data | more, lines)


def _show(answer: Answer, how: How, *, as_json: bool) -> int:
    """Print an answer; then ask a person about the mail that has waited for a relay."""
    code = show(answer, as_json=as_json)
    if code == DONE and is_interactive() and not (as_json or how.from_env):
        return offer_to_flush()
    return code


def _checked(block: B, fields: Fields) -> tuple[B, Report]:
    """Check, and let the person correct what is wrong: credentials are tried once."""
    report = block.check()
    for _ in range(_MAX_CORRECTIONS):
        changes = _corrections(type(block), fields, report)
        if not changes:
            break
        fields |= changes
        block = build(type(block), fields)
        report = block.check()
    return block, report


def _corrections(block_type: type[RelayBlock], fields: Fields, report: Report) -> Fields:
    """Show what was found, and ask which settings to take over and what else to correct."""
    settings = _without_other_hosts(report.recommendation.settings)
    questions = questions_about(fields, report)
    if not (settings or questions):
        return {}  # the answer shows the report
    for line in describe_report(report):
        note(line)
    changes = settings if settings and ask_yes("Use the recommended settings") else {}
    is_moved = "port" in changes
    return changes if is_moved else changes | ask_again(block_type, questions)


def _without_other_hosts(settings: Fields) -> Fields:
    """Leave out what decides who gets the credentials: only a person names a host."""
    return {name: value for name, value in settings.items() if name not in _WHO}


def _variables(block: type[RelayBlock]) -> str:
    names = (variable(block, name) for name in fields_from_environment(block))
    return f", from {', '.join(names)}"
