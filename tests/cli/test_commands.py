"""What the command line does without a Prefect server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_HOME, temporary_settings

import prefect_smtp_relay
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.spool import open_spool
from prefect_smtp_relay.transports.outbox import Outbox

RunCli = Callable[..., Any]

_LONG_REASON = "smtp://mx.example.org:587 (AUTH): " + "the-relay-says-no-" * 12
_SUBJECT = "[SEV1] INC-42 [/red] :warning: " + "Checkout-fails-" * 12


@pytest.fixture(autouse=True)
def outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """An empty outbox, and the one that the command line sees."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL", str(tmp_path))
    return Outbox(open_spool(str(tmp_path)))


@pytest.fixture
def keep(outbox: Outbox) -> Callable[[], Path]:
    """Keep a mail with a long subject for a long reason."""

    def keep_one() -> Path:
        draft = compose(["ann@example.org", "bob@example.org"], _SUBJECT, text="t", html="<p>t</p>")
        message = draft.from_mailbox(Mailbox.parse("ops@example.org"), "seed")
        return Path(outbox.place(outbox.keep(message, Envelope.of(message), _LONG_REASON)))

    return keep_one


def test_the_help_names_every_command(run_cli: RunCli) -> None:
    """Help goes to stdout, with exit code 0."""
    top, outbox_help = run_cli("--help"), run_cli("outbox", "--help")
    assert (top.code, outbox_help.code) == (0, 0)
    assert "status" in top.out
    assert "outbox" in top.out
    assert "list" in outbox_help.out
    assert "flush" in outbox_help.out


def test_the_version_is_the_packages(run_cli: RunCli) -> None:
    """``--version`` prints the version and nothing else."""
    run = run_cli("--version")
    assert (run.code, run.out.strip()) == (0, prefect_smtp_relay.__version__)


def test_an_unknown_command_is_refused(run_cli: RunCli) -> None:
    """A misspelt command is an error that names it."""
    run = run_cli("statsu")
    assert run.code != 0
    assert "statsu" in run.out + run.err


def test_an_empty_outbox_is_said_to_be_empty(run_cli: RunCli) -> None:
    """Neither command needs a Prefect API while nothing waits."""
    assert run_cli("outbox", "list") == (0, "The outbox is empty.\n", "")
    assert run_cli("outbox", "flush") == (0, "0 accepted, 0 left in the outbox.\n", "")


def test_a_stored_mail_is_listed_whole(
    run_cli: RunCli, keep: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A narrow terminal cuts nothing, and brackets are no markup."""
    monkeypatch.setenv("COLUMNS", "20")
    path = keep()
    run = run_cli("outbox", "list")
    assert run.out.splitlines() == [
        f"{path.stem[:8]}  just now        {_SUBJECT}",
        "    to   ann@example.org, bob@example.org",
        f"    why  {_LONG_REASON}",
        "1 mail, stored just now.",
    ]
    assert run.code == 0


def test_a_pipe_gets_whole_lines_without_colours(keep: Callable[[], Path]) -> None:
    """The installed command writes into a pipe what it writes to a terminal."""
    keep()
    command = Path(sys.executable).with_name("prefect-smtp-relay")
    run = subprocess.run(  # noqa: S603  # our own command
        [command, "outbox", "list"], capture_output=True, text=True, env=os.environ, check=True
    )
    assert f"{_SUBJECT}\n" in run.stdout
    assert f"{_LONG_REASON}\n" in run.stdout
    assert "\x1b" not in run.stdout


def test_an_unreadable_entry_is_listed_with_its_error(
    run_cli: RunCli, keep: Callable[[], Path]
) -> None:
    """A damaged entry stands in the list, with what to do."""
    keep().with_suffix(".json").write_text("{}")
    run = run_cli("outbox", "list")
    assert run.code == 0
    assert "cannot be read: " in run.out
    assert "is damaged" in run.out


def test_an_interrupted_entry_is_listed_as_such(run_cli: RunCli, keep: Callable[[], Path]) -> None:
    """What a dead flush had begun to submit may have been accepted, and the list says so."""
    path = keep()
    turn = json.loads(path.with_suffix(".json").read_text())["turn"]
    claim = path.with_suffix(f".{turn}.claim")
    claim.write_text('{"lease": "of-a-dead-process", "token": "t", "handed_over": true}')
    claim.chmod(0o600)
    assert "interrupted, so a relay may have accepted it" in run_cli("outbox", "list").out


def test_mail_of_an_earlier_version_is_moved(
    run_cli: RunCli, keep: Callable[[], Path], tmp_path: Path, outbox: Outbox
) -> None:
    """Where it used to be, the list tells of it; one command moves it, interrupted or not."""
    path, former = keep(), tmp_path / "home" / "smtp-relay" / "outbox"
    former.mkdir(parents=True)
    record = path.with_suffix(".json")
    record.rename(former / record.name)
    path.rename(former / path.name)
    for name, end in (("a" * 32, f"{'0' * 16}.claimed"), ("b" * 32, "eml")):
        shutil.copy(former / path.name, former / f"{name}.{end}")
        text = (former / record.name).read_text().replace("<", f"<{name[0]}", 1)
        (former / f"{name}.json").write_text(text)
        (former / f"{name}.json").chmod(0o600)
    with temporary_settings({PREFECT_HOME: tmp_path / "home"}):
        assert f"waits in {former}: `prefect-smtp-relay outbox" in run_cli("outbox", "list").err
        assert run_cli("outbox", "import").out == f"3 moved from {former} to {tmp_path}.\n"
        assert run_cli("outbox", "list").err == ""
    assert list(former.iterdir()) == []
    assert sorted(mail.may_be_accepted for mail in outbox.entries()) == [False, False, True]
    assert all(outbox.read(mail) for mail in outbox.entries())


@pytest.mark.parametrize("words", [("status",), ("outbox", "flush")])
def test_an_api_that_is_down_is_one_clear_line(
    run_cli: RunCli, keep: Callable[[], Path], words: tuple[str, ...]
) -> None:
    """It names the setting to check, shows no traceback, exits with 1, and touches no mail."""
    path = keep()
    before = path.with_suffix(".json").read_bytes()
    run = run_cli(*words)
    assert (run.code, run.out) == (1, "")
    assert len(run.err.splitlines()) == 1
    assert "PREFECT_API_URL" in run.err
    assert "Traceback" not in run.err
    assert path.with_suffix(".json").read_bytes() == before


def test_a_wrong_setting_is_one_clear_line(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text names the variable, and the exit code is 1."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_DEFAULT_DELIVERY", "drop")
    run = run_cli("outbox", "list")
    assert (run.code, run.out) == (1, "")
    assert "PREFECT_INTEGRATIONS_SMTP_RELAY_DEFAULT_DELIVERY" in run.err
    assert len(run.err.splitlines()) == 1


def test_an_uncertain_entry_is_listed_as_such(run_cli: RunCli, outbox: Outbox) -> None:
    """Whoever reads the list knows that a second copy may arrive."""
    draft = compose(["ann@example.org"], "S", text="t", html="<p>t</p>")
    message = draft.from_mailbox(Mailbox.parse("ops@example.org"), "seed")
    outbox.keep(message, Envelope.of(message), "the reply was lost", may_be_accepted=True)
    assert "a relay may have accepted it; the reply was lost" in run_cli("outbox", "list").out


def test_an_entry_that_is_not_there_is_a_wrong_use(run_cli: RunCli) -> None:
    """A mistyped id submits nothing."""
    run = run_cli("outbox", "flush", "0123")
    assert (run.code, run.err) == (
        2,
        "there is no entry 0123. Run `prefect-smtp-relay outbox list` to see what there is.\n",
    )
