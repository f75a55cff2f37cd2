"""``outbox flush`` and ``connect`` where mail has waited: a person decides what goes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.cli.connected.terminal import Dialogue, converse
from tests.cli.stored_mails import StoredMails

RunCli = Callable[..., Any]


@pytest.fixture
def mails(outbox_path: Path) -> StoredMails:
    """The outbox that the commands see."""
    return StoredMails(outbox_path.parent)


@pytest.fixture
def place(mail_server: MailServer) -> tuple[str, ...]:
    """The options that connect the mail server."""
    return (
        *("--address", mail_server.host, "--port", str(mail_server.port), "--no-ssl"),
        *("--from-address", "ops@example.org", "--username", ""),
    )


@pytest.fixture
def connected(mail_server: MailServer) -> None:
    """Connect the mail server."""
    place = {"address": mail_server.host, "port": mail_server.port, "ssl": False}
    SMTP(**place, from_address="ops@example.org").save("main")


def _talk(*words: str, answers: dict[str, str]) -> Dialogue:
    environment = os.environ | {"PREFECT_API_URL": str(PREFECT_API_URL.value())}
    return converse(list(words), answers, environment)


def _subjects(server: MailServer) -> list[str]:
    return [mail.message["Subject"] for mail in server.mails]


@pytest.mark.usefixtures("connected")
def test_a_person_decides_what_a_flush_submits(mails: StoredMails, mail_server: MailServer) -> None:
    """The relay, the mails and the copies are named; one answer submits each mail once."""
    for hours in (5, 4, 3):
        mails.keep("Import", hours=hours, bcc="ceo@example.org")
    mails.keep("Export", hours=1)
    dialogue = _talk("outbox", "flush", answers={"What shall be done [a/n/q] (q): ": "q"})
    assert (dialogue.code, dialogue.out) == (1, "Nothing was submitted.\n")
    assert "4 mails, the oldest stored 5 hours ago, through smtp/main:" in dialogue.seen
    assert "The same mail waits 3 times:  Import" in dialogue.seen
    assert "submit the newest of copies, and discard 2 older copies" in dialogue.seen
    assert ("ann@example.org, 1 in Bcc" in dialogue.seen, mail_server.mails) == (True, [])
    dialogue = _talk("outbox", "flush", answers={"What shall be done": "n"})
    assert _subjects(mail_server) == ["Import", "Export"]
    assert dialogue.out.endswith("2 older copies discarded.\n2 accepted, 0 left in the outbox.\n")
    assert (dialogue.code, mails.subjects) == (0, [])


@pytest.mark.usefixtures("connected")
def test_a_person_is_asked_about_one_old_mail(mails: StoredMails, mail_server: MailServer) -> None:
    """It may have been forgotten; with --yes nobody is asked."""
    old = mails.keep("old", hours=2)
    mails.keep("young")
    dialogue = _talk("outbox", "flush", old[:8], answers={"Submit it [y/n] (n): ": ""})
    assert (dialogue.out, mail_server.mails) == ("Nothing was submitted.\n", [])
    assert _talk("outbox", "flush", "--yes", answers={}).code == 0
    assert _subjects(mail_server) == ["old", "young"]


@pytest.mark.usefixtures("connected")
def test_a_script_is_not_asked(
    run_cli: RunCli, mails: StoredMails, mail_server: MailServer
) -> None:
    """Without a terminal everything goes at once, copies included."""
    for hours in (9, 8):
        mails.keep("Import", hours=hours)
    assert run_cli("outbox", "flush").out.endswith("2 accepted, 0 left in the outbox.\n")
    assert _subjects(mail_server) == ["Import", "Import"]


@pytest.mark.usefixtures("connected")
def test_a_dry_run_submits_nothing(
    run_cli: RunCli, mails: StoredMails, mail_server: MailServer
) -> None:
    """It says what would go through which relay, and what would be left; exit code 0."""
    same = [mails.keep("Import", hours=hours) for hours in (9, 8)]
    unknown = mails.keep("Lost", may_be_accepted=True)
    run = run_cli("outbox", "flush", "--dry-run")
    assert run.code == 0
    assert run.out.startswith("2 mails, the oldest stored 9 hours ago, through smtp/main:\n")
    assert f"Left, as a relay may have accepted them: {unknown[:8]}." in run.out
    assert run.out.endswith("Nothing was submitted: this was a dry run.\n")
    data = json.loads(run_cli("outbox", "flush", "--dry-run", "--json").out)
    assert (data["relay"], data["copies"], data["unknown"]) == ("smtp/main", [same], [unknown])
    assert [mail["id"] for mail in data["would_submit"]] == same
    data = json.loads(run_cli("outbox", "flush", unknown[:8], "--dry-run", "--json").out)
    assert [mail["id"] for mail in data["would_submit"]] == [unknown]
    assert (mail_server.mails, len(mails.subjects)) == ([], 3)


def test_a_dry_run_without_a_relay_is_a_problem(run_cli: RunCli, mails: StoredMails) -> None:
    """Exit code 1: a flush would submit nothing."""
    mails.keep("Import")
    run = run_cli("outbox", "flush", "--dry-run")
    assert run.code == 1
    assert "No relay is connected" in run.out
    assert json.loads(run_cli("outbox", "flush", "--dry-run", "--json").out)["relay"] == "outbox"


@pytest.mark.usefixtures("connected")
def test_a_script_submits_old_mail_or_the_newest_copy(
    run_cli: RunCli, mails: StoredMails, mail_server: MailServer
) -> None:
    """The others wait, or are discarded."""
    mails.keep("old", hours=30)
    for hours in (3, 2):
        newest = mails.keep("Import", hours=hours)
    run = run_cli("outbox", "flush", "--older-than", "1d")
    assert (run.code, _subjects(mail_server)) == (1, ["old"])
    message_id = next(mail.message_id for mail in mails.outbox.entries() if mail.id == newest)
    data = json.loads(run_cli("outbox", "flush", "--newest-copy", "--json").out)
    assert (len(data["copies"]["discarded"]), data["remaining"]) == (1, 0)
    assert mail_server.mails[-1].message["Message-ID"] == message_id
    assert run_cli("outbox", "flush", "--older-than", "1d").out == (
        "0 accepted, 0 left in the outbox.\n"
    )


def test_connect_offers_a_test_mail_and_a_flush(
    mails: StoredMails, mail_server: MailServer, place: tuple[str, ...]
) -> None:
    """What waits is counted, and is submitted only when a person says so."""
    mails.keep("Import", hours=2)
    dialogue = _talk(
        *("connect", "smtp", *place, "--no-check"),
        answers={
            "What shall be done [a/t/q] (q): ": "t",
            "To whom (empty for nobody): ": "nobody",
            "What shall be done [": "t",
            "To whom (empty": "me@example.org",
            "What shall be done": "a",
        },
    )
    assert "1 mail waits in the outbox, since " in dialogue.out
    assert "1 mail, stored 2 hours ago, through smtp/default:" in dialogue.seen
    assert "to: 'nobody' is not an e-mail address" in dialogue.seen
    assert _subjects(mail_server) == ["Test mail", "Import"]
    assert mail_server.mails[0].forward_paths == ("me@example.org",)
    assert dialogue.out.endswith("1 accepted, 0 left in the outbox.\n")
    assert dialogue.code == 0


def test_connect_leaves_what_waits(
    mails: StoredMails, mail_server: MailServer, place: tuple[str, ...]
) -> None:
    """An empty line is a no; that is not a problem of the connection."""
    mails.keep("Import")
    command = ("connect", "smtp", *place, "--no-check")
    dialogue = _talk(*command, answers={"What shall be done": ""})
    assert (dialogue.code, mails.subjects, mail_server.mails) == (0, ["Import"], [])


def test_whoever_leaves_at_the_question_is_connected(
    mails: StoredMails, place: tuple[str, ...]
) -> None:
    """The end of the input answers nothing, and does not undo what was said before."""
    mails.keep("Import")
    command = ("connect", "smtp", *place, "--no-check")
    dialogue = _talk(*command, answers={"What shall be done": "\x04"})
    assert (dialogue.code, mails.subjects) == (2, ["Import"])
    assert "Connected smtp/default." in dialogue.out
    assert "The input ended" in dialogue.seen
    assert "Not connected" not in dialogue.seen


def test_connect_in_a_script_only_counts_what_waits(
    run_cli: RunCli, mails: StoredMails, mail_server: MailServer, place: tuple[str, ...]
) -> None:
    """Nobody is asked, and nothing is submitted."""
    mails.keep("Import", hours=2)
    run = run_cli("connect", "smtp", *place, "--no-check")
    assert run.code == 0
    assert "1 mail waits in the outbox, since " in run.out
    run = run_cli("connect", "smtp", *place, "--no-check", "--overwrite", "--json")
    assert json.loads(run.out)["outbox"]["stored"] == 1
    assert mail_server.mails == []
