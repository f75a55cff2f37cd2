"""The commands of the outbox that need no Prefect server: list, show and discard."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text

from tests.cli.connected.terminal import converse
from tests.cli.stored_mails import StoredMails
from tests.pages import page

RunCli = Callable[..., Any]
_MANY = [f"on-call-{number}@example.org" for number in range(7)]
_HIDDEN = "ceo@example.org"
_ID = re.compile(r"\b[0-9a-f]{8}\b")
_NOBODY = (
    "smtp/main: nobody to send as. Pass from_=, or set *From address* (`from_address`) in the"
    " relay's block, or PREFECT_INTEGRATIONS_SMTP_RELAY_DEFAULT_FROM."
)


@pytest.fixture
def mails(tmp_path: Path) -> StoredMails:
    """The outbox that the commands see."""
    return StoredMails(tmp_path / "spool")


def test_the_list_names_those_whom_a_header_names(run_cli: RunCli, mails: StoredMails) -> None:
    """The first recipients by their address, the others and those in Bcc by their number."""
    entry = mails.keep("Down", hours=3.5, to=_MANY, bcc=[_HIDDEN, "cfo@example.org"])
    run = run_cli("outbox", "list")
    assert run.out.splitlines() == [
        f"{entry[:8]}  3 hours ago     Down",
        f"    to   {', '.join(_MANY[:3])}, 4 more, 2 in Bcc",
        "    why  the relay says no",
        "1 mail, stored 3 hours ago.",
    ]
    data = run_cli("outbox", "list", "--json").out
    [stored] = json.loads(data)["stored"]
    assert (stored["id"], stored["to"], stored["bcc"]) == (entry, _MANY, 2)
    assert (stored["recipients"], stored["state"]) == (9, "9 recipient(s); the relay says no")
    assert datetime.fromisoformat(stored["stored_at"]).tzinfo is not None
    assert _HIDDEN not in run.out + data


def test_the_list_fits_a_terminal(
    run_cli: RunCli, mails: StoredMails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is cut, and no line is longer than 80 characters."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    for _ in range(2):
        mails.keep("Checkout fails " * 9, to=_MANY, bcc=_HIDDEN, reason="it refuses " * 20)
    lines = [Text.from_ansi(line).plain for line in run_cli("outbox", "list").out.splitlines()]
    assert max(map(len, lines)) <= 80
    assert " ".join(lines).count("refuses") == 40


def test_the_page_shows_what_the_list_prints(
    run_cli: RunCli, mails: StoredMails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a terminal of 80 columns; only the ids differ."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    names = ["on-call", "ann", "bob", *"abcd"]
    mails.keep(
        "[SEV1] INC-42 Checkout fails",
        hours=50,
        to=[f"{name}@example.org" for name in names],
        bcc=["ceo@example.org", "cfo@example.org"],
        reason="no relay was connected",
    )
    for hours in (5.5, 4.5):
        mails.keep("Nightly import", hours=hours, reason=_NOBODY)
    [shown] = (b.code for b in page("how-to/outbox").blocks("text") if "stored 2 days" in b.code)
    printed = Text.from_ansi(run_cli("outbox", "list").out).plain
    assert _ID.sub("ID", printed) == _ID.sub("ID", shown)


def test_the_same_mail_is_pointed_out(run_cli: RunCli, mails: StoredMails) -> None:
    """Message-IDs differ; sender, recipients, subject and body decide."""
    same = [mails.keep("Import", hours=hours, bcc=_HIDDEN) for hours in (3, 2)]
    for others in (
        {"text": "Another text"},
        {"to": "bob@example.org", "bcc": _HIDDEN},
        {"bcc": ""},
        {"from_": "bob@example.org", "bcc": _HIDDEN},
        {"bcc": _HIDDEN, "attachments": [("a.txt", b"a")]},
        {"bcc": _HIDDEN, "attachments": [("a.txt", b"b")]},
    ):
        mails.keep("Import", hours=1, **others)
    run = run_cli("outbox", "list")
    at = run.out.index("The same mail waits 2 times:  Import\n")
    assert f"    {same[0][:8]}, {same[1][:8]}\n" in run.out[at:]
    assert "outbox flush --newest-copy" in run.out
    assert json.loads(run_cli("outbox", "list", "--json").out)["copies"] == [same]


def test_only_old_mail_is_listed(run_cli: RunCli, mails: StoredMails) -> None:
    """--older-than leaves out what was stored later."""
    mails.keep("young", hours=1)
    mails.keep("old", hours=3)
    stored = json.loads(run_cli("outbox", "list", "--older-than", "2h", "--json").out)["stored"]
    assert [mail["subject"] for mail in stored] == ["old"]
    assert run_cli("outbox", "list", "--older-than", "9d").out == "No mail is older than 9d.\n"
    assert run_cli("outbox", "list", "--older-than", "long").code == 2


def test_a_mail_is_shown(run_cli: RunCli, mails: StoredMails) -> None:
    """Its header, who gets it, why it waits, its files and its text; of Bcc only the number."""
    entry = mails.keep(
        "Import", hours=49, bcc=_HIDDEN, text="Rows:\t12\n[end]", attachments=[("a.csv", b"1234")]
    )
    run = run_cli("outbox", "show", entry[:6])
    first, header, text = run.out.split("\n\n")
    assert f"id      {entry}\nfile    {mails.spool}/outbox/{entry}.eml\nstored  " in first
    assert first.endswith(
        "UTC, 2 days ago\nfor     ann@example.org, 1 in Bcc\nwhy     the relay says no"
    )
    for label, value in (
        ("From", "ops@example.org"),
        ("Subject", "Import"),
        ("attached", "a.csv, 4"),
    ):
        assert any(line.startswith(label) and value in line for line in header.splitlines())
    assert text == "Rows:   12\n[end]\n"
    data = run_cli("outbox", "show", entry, "--json").out
    assert json.loads(data)["header"]["To"] == "ann@example.org"
    assert [each["reason"] for each in json.loads(data)["history"]] == ["the relay says no"]
    assert _HIDDEN not in run.out + data


def test_a_mail_is_taken_along(run_cli: RunCli, mails: StoredMails, tmp_path: Path) -> None:
    """The bytes of the .eml on stdout or in a file, without those in Bcc."""
    entry = mails.keep("Import", bcc=_HIDDEN)
    stored = (mails.spool / "outbox" / f"{entry}.eml").read_bytes()
    assert run_cli("outbox", "show", entry, "--eml").out.encode() == stored
    file = tmp_path / "mail.eml"
    run = run_cli("outbox", "show", entry, "--output", str(file))
    assert (run.code, run.out) == (0, f"{entry} is in {file}.\n")
    assert file.read_bytes() == stored
    assert _HIDDEN.encode() not in stored
    assert message_from_bytes(stored, policy=default)["Subject"] == "Import"


def test_whoever_has_read_enough_may_go(mails: StoredMails) -> None:
    """A pipe that is closed early is not an error."""
    entry = mails.keep("Import", attachments=[("a.bin", bytes(1_000_000))])
    command = [str(Path(sys.executable).with_name("prefect-smtp-relay")), "outbox", "show", entry]
    with subprocess.Popen(  # noqa: S603  # our own command
        [*command, "--eml"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(5) == b"From:"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--eml", "--json"), "--eml writes to stdout."),
        (("--output", "/no/such/directory/mail.eml"), "Make it first."),
        (("--output", "/dev"), "--output: /dev is a directory. Name a file: /dev/mail.eml."),
    ],
    ids=" ".join,
)
def test_a_mail_that_cannot_be_written_there(
    run_cli: RunCli, mails: StoredMails, words: tuple[str, ...], told: str
) -> None:
    """A wrong use, and what to change."""
    run = run_cli("outbox", "show", mails.keep("Import"), *words)
    assert run.code == 2
    assert told in run.out + run.err


def test_an_id_may_be_shortened(run_cli: RunCli, mails: StoredMails) -> None:
    """As the log names it, too; but not so far that two begin with it."""
    entries = [mails.keep(f"{number}") for number in range(17)]  # of 16 first letters
    first = next(a for a in entries if sum(b[0] == a[0] for b in entries) > 1)
    run = run_cli("outbox", "show", first[0])
    assert (run.code, run.out) == (2, "")
    assert f"{first[0]} is the beginning of " in run.err
    for written in (first[:12].upper(), f"/srv/spool/outbox/{first}.eml"):
        assert first in run_cli("outbox", "show", written).out


@pytest.mark.parametrize("command", ["show", "discard", "flush"])
@pytest.mark.parametrize("written", ["xyz", "", ".eml"])
def test_an_unknown_id_says_what_to_run(
    run_cli: RunCli, mails: StoredMails, command: str, written: str
) -> None:
    """A wrong use: nothing is shown, submitted or discarded."""
    mails.keep("Import")
    run = run_cli("outbox", command, written)
    assert (run.code, run.out) == (2, "")
    assert "Run `prefect-smtp-relay outbox list`" in run.err


def test_a_mail_that_goes_meanwhile_is_unknown(run_cli: RunCli, mails: StoredMails) -> None:
    """As where a flush removes it after its id was found."""
    entry = mails.keep("Import")
    (mails.spool / "outbox" / f"{entry}.json").unlink()
    run = run_cli("outbox", "show", entry)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"there is no entry {entry}. Run")


def test_named_mails_are_discarded(run_cli: RunCli, mails: StoredMails) -> None:
    """Without a terminal only with --yes; the others stay."""
    unwanted, also = mails.keep("unwanted"), mails.keep("also")
    mails.keep("wanted")
    run = run_cli("outbox", "discard", unwanted, also)
    assert (run.code, run.out) == (2, "")
    assert "Add --yes." in run.err
    run = run_cli("outbox", "discard", unwanted[:8], also, "--yes")
    assert (run.code, run.out) == (0, "2 discarded.\n")
    assert mails.subjects == ["wanted"]
    assert {path.suffix for path in (mails.spool / "outbox").iterdir()} == {".eml", ".json"}


def test_old_mails_are_discarded(run_cli: RunCli, mails: StoredMails) -> None:
    """--dry-run names them and removes nothing; what cannot be read has to be named."""
    damaged = mails.keep("damaged", hours=99)
    mails.keep("old", hours=30)
    mails.keep("young")
    (mails.spool / "outbox" / f"{damaged}.json").write_text("{}")
    old = ("outbox", "discard", "--older-than", "1d")
    run = run_cli(*old, "--dry-run")
    assert run.code == 0
    assert ("old" in run.out, "young" in run.out, len(mails.subjects)) == (True, False, 3)
    assert json.loads(run_cli(*old, "--yes", "--json").out)["discarded"]
    assert sorted(mails.subjects) == ["", "young"]
    assert run_cli("outbox", "discard", damaged, "--yes").code == 0
    assert mails.subjects == ["young"]
    assert run_cli(*old, "--yes").out == "0 discarded.\n"


def test_everything_is_not_discarded_by_mistake(run_cli: RunCli, mails: StoredMails) -> None:
    """Without an ID and without an age it is a wrong use."""
    mails.keep("wanted")
    run = run_cli("outbox", "discard", "--yes")
    assert (run.code, mails.subjects) == (2, ["wanted"])
    assert "--older-than" in run.err


def test_a_person_is_asked_before_mail_is_discarded(mails: StoredMails) -> None:
    """What would go is named; an empty line keeps it."""
    entry = mails.keep("Import", hours=5)
    environment = os.environ | {"PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL": str(mails.spool)}
    command = ["outbox", "discard", entry[:8]]
    dialogue = converse(command, {"Discard for good [y/n] (n): ": ""}, environment)
    assert dialogue.out == "Nothing was discarded.\n"
    assert f"{entry[:8]}  5 hours ago     Import" in dialogue.seen
    dialogue = converse(command, {"Discard for good [y/n] (n): ": "y"}, environment)
    assert (dialogue.code, dialogue.out, mails.subjects) == (0, "1 discarded.\n", [])
