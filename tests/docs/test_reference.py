"""What the pages list is what the package has."""

from __future__ import annotations

import ast
import inspect
import json
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

import prefect_smtp_relay
from prefect_smtp_relay import Receipt, render, send_an_email, send_emails
from prefect_smtp_relay.compose.options import MailOptions
from prefect_smtp_relay.exceptions import (
    OutcomeUnknown,
    ProtectedDomain,
    RecipientsRefused,
    TimedOut,
)
from prefect_smtp_relay.flows.incidents.incident import Incident
from prefect_smtp_relay.flows.incidents.notification import describe
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.receipt import Outcome
from prefect_smtp_relay.mail.sender import SenderPolicy
from prefect_smtp_relay.runtime import events
from prefect_smtp_relay.settings import current_settings
from reference.pages import DOCS, written
from tests.pages import Page, code, page, pages
from tests.rooms import ROOT

_AN_HOUR_LATER = datetime(2026, 3, 14, 4, 7, tzinfo=UTC)
_PLACEHOLDER = "…"
_SHORTEST_PIECE = 8


def _names(rows: list[list[str]]) -> list[str]:
    return [code(row[0]) for row in rows]


@pytest.mark.parametrize(("name", "text"), written().items(), ids=written())
def test_a_page_that_is_written_from_the_code_is_up_to_date(name: str, text: str) -> None:
    """Fields, settings, errors and commands are those of today; else: make docs-reference."""
    assert (DOCS / name).read_text(encoding="utf-8") == text


def test_every_public_name_is_on_the_page_of_the_api() -> None:
    """The page names all that the package exports, and nothing else."""
    named = re.findall(r"^::: prefect_smtp_relay\.(\w+)$", page("reference/api").text, re.MULTILINE)
    assert sorted(named) == sorted({*prefect_smtp_relay.__all__} - {"__version__"})


@pytest.mark.parametrize(
    "source",
    [each for each in pages() if each.blocks("toml")],
    ids=lambda source: source.name,
)
def test_the_settings_of_a_prefect_toml_are_read(
    source: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings that a page writes into a prefect.toml are those that a process there has."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL", raising=False)
    for block in source.blocks("toml"):
        tmp_path.joinpath("prefect.toml").write_text(block.code, encoding="utf-8")
        settings = current_settings().model_dump(mode="json")
        for name, value in tomllib.loads(block.code)["integrations"]["smtp_relay"].items():
            assert settings[name] == value


def test_the_markdown_of_the_pictures_is_what_the_flow_writes() -> None:
    """The example of Markdown reads as the mail about the demo's first incident does."""
    [block] = page("explanation/mails").blocks("markdown")
    demo = ROOT.joinpath("demo", "incidents.json").read_text(encoding="utf-8")
    mail = describe(Incident(**json.loads(demo)[0]), "declared", _AN_HOUR_LATER)
    written = {**mail, "context": None, "subject": "INC-42", "body": block.code, "preheader": ""}
    shown = [
        render("ann@example.org", **{**options, "preheader": ""}) for options in (mail, written)
    ]
    assert shown[0].text == shown[1].text


def test_every_argument_is_listed() -> None:
    """The tables of arguments have those of the task, and those of each mail."""
    own = {*inspect.signature(send_an_email.fn).parameters} - {"options"}
    listed = re.findall(r"^\| `(\w+)` \|", page("reference/arguments").text, re.MULTILINE)
    assert sorted(listed) == sorted(own | MailOptions.__annotations__.keys())


def test_every_argument_of_many_mails_is_listed() -> None:
    """The table of the bulk task has its arguments, in their order, and the default it names."""
    parameters = inspect.signature(send_emails.fn).parameters
    rows = page("how-to/many-mails").table("Send many mails at once")
    assert _names(rows) == list(parameters)
    connections = rows[-1][1]
    assert f"by default {parameters['connections'].default};" in connections


def test_every_field_of_the_receipt_is_listed() -> None:
    """The table of the receipt has its fields, in their order."""
    assert _names(page("reference/receipt").table("The receipt")) == list(Receipt.model_fields)


def test_every_event_is_listed() -> None:
    """The page has an event for each outcome of a receipt, and for each way to fail."""
    failures = (OutcomeUnknown("relay"), RecipientsRefused("relay"), TimedOut("relay"))
    outcomes = {*get_args(Outcome), *map(events._outcome, failures)}
    listed = _names(page("reference/events").table("Events and artifacts"))
    assert sorted(listed) == sorted(f"{events._PREFIX}.{outcome}" for outcome in outcomes)


def test_the_retries_are_those_of_the_task() -> None:
    """The number of retries and their pauses are what the task has."""
    rows = page("explanation/retries").table("What is retried")
    how_long = next(row[1] for row in rows if row[0] == "how long")
    retries, *pauses = map(int, re.findall(r"\d+", how_long)[: 1 + send_an_email.retries])
    assert (retries, pauses) == (send_an_email.retries, send_an_email.retry_delay_seconds)


def test_the_protected_senders_are_refused_and_the_others_permitted() -> None:
    """The examples of protected_domains are true."""
    policy = SenderPolicy.protecting(["example.com"])
    for sender, verdict in page("explanation/from-addresses").table("Protected domains"):
        try:
            policy.check(Mailbox.parse(code(sender)), "from_")
        except ProtectedDomain:
            assert verdict.startswith("refused")
        else:
            assert verdict == "permitted"


def _source_texts() -> Iterator[str]:
    """Every text in the package's code, with a placeholder for what is filled in."""
    for file in sorted(ROOT.joinpath("prefect_smtp_relay").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"%[sd]", _PLACEHOLDER, node.value)
            elif isinstance(node, ast.JoinedStr):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else _PLACEHOLDER
                    for part in node.values
                )


def _pieces(error: str) -> list[str]:
    return [piece.strip() for piece in error.split(_PLACEHOLDER) if piece.strip()]


def test_every_error_text_occurs_in_the_source() -> None:
    """The troubleshooting table quotes errors as the package writes them."""
    source = "\n".join(_source_texts())
    errors = _names(page("troubleshooting").table("By error text"))
    for error in errors:
        missing = [piece for piece in _pieces(error) if piece not in source]
        assert not missing, f"the package has no text {missing}"
        assert max(map(len, _pieces(error))) >= _SHORTEST_PIECE
    assert len(errors) == len(set(errors))
