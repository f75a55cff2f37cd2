"""``disconnect``, ``status``, ``check`` and ``send`` of relays that are connected."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL
from pydantic import SecretStr

from prefect_smtp_relay import SMTP, SendGrid, send_an_email
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.cli.connected.terminal import converse

RunCli = Callable[..., Any]
CANARY = "canary-b51d-never-shown"


@pytest.fixture
def cli(run_cli: RunCli) -> RunCli:
    """Run the command line; no secret may show."""

    def run(*words: str) -> Any:
        done = run_cli(*words)
        assert CANARY not in done.out + done.err
        return done

    return run


@pytest.fixture
def save(mail_server: MailServer) -> Callable[..., None]:
    """Save an SMTP block for the mail server under a name."""

    def run(name: str, **fields: Any) -> None:
        place = {"address": mail_server.host, "port": mail_server.port, "ssl": False}
        SMTP(**{**place, "from_address": "relay@example.org", **fields}).save(name)

    return run


@pytest.fixture
def save_sendgrid() -> Callable[[str], None]:
    """Save a SendGrid block under a name."""
    return lambda name: _save_sendgrid(name)


def _save_sendgrid(name: str) -> None:
    SendGrid(api_key=SecretStr(CANARY)).save(name)


def _break(client: SyncPrefectClient, name: str, **values: Any) -> None:
    document = client.read_block_document_by_name(name, "smtp")
    client.request(
        "PATCH",
        "/block_documents/{id}",
        path_params={"id": document.id},
        json={"data": {**document.data, **values}, "merge_existing_data": False},
    ).raise_for_status()


def test_the_one_relay_is_disconnected(
    cli: RunCli, save: Callable[..., None], save_sendgrid: Callable[[str], None]
) -> None:
    """Its document is gone, and what the next mail uses is said."""
    save("only")
    save_sendgrid("team")
    run = cli("disconnect", "smtp")
    assert (run.code, run.err) == (0, "")
    assert run.out == "Disconnected smtp/only.\nThe next mail goes through sendgrid/team.\n"
    run = cli("disconnect", "sendgrid", "--json")
    document = json.loads(run.out)
    assert (document["relay"], document["next_mail"]["relay"]) == ("sendgrid/team", "outbox")
    assert catalog.connected() == []


def test_one_of_several_is_named(cli: RunCli, save: Callable[..., None]) -> None:
    """Without a name nothing is deleted, and the error lists them."""
    save("b")
    save("a")
    run = cli("disconnect", "smtp")
    assert (run.code, run.out) == (2, "")
    assert "(a, b)" in run.err
    assert len(catalog.connected()) == 2
    run = cli("disconnect", "smtp", "--name", "a")
    assert run.out == "Disconnected smtp/a.\nThe next mail goes through smtp/b.\n"


def test_a_relay_is_named_as_status_names_it(cli: RunCli, save: Callable[..., None]) -> None:
    """What is not such a name, or has two, deletes nothing."""
    save("a")
    save("b")
    for wrong in ("smtp/",), ("smtq/b",), ("smtp/b", "--name", "a"):
        assert cli("disconnect", *wrong).code == 2
    assert len(catalog.connected()) == 2
    run = cli("disconnect", "smtp/b")
    assert run.out == "Disconnected smtp/b.\nThe next mail goes through smtp/a.\n"


def test_a_person_is_asked_which_one(save: Callable[..., None]) -> None:
    """At a terminal, the names are shown and one is typed."""
    save("b")
    save("a")
    environment = os.environ | {"PREFECT_API_URL": str(PREFECT_API_URL.value())}
    dialogue = converse(["disconnect", "smtp"], {"Which smtp block (a, b): ": "b"}, environment)
    assert dialogue.code == 0
    assert dialogue.out == "Disconnected smtp/b.\nThe next mail goes through smtp/a.\n"


@pytest.mark.parametrize("words", [(), ("--name", "other")])
def test_nothing_to_disconnect(
    cli: RunCli, save_sendgrid: Callable[[str], None], words: tuple[str, ...]
) -> None:
    """A relay that is not there is a problem, and nothing else is deleted."""
    save_sendgrid("team")
    run = cli("disconnect", "smtp", *words)
    assert (run.code, run.out) == (1, "")
    assert len(catalog.connected()) == 1


def test_a_document_whose_priority_is_unreadable(
    cli: RunCli, save: Callable[..., None], client: SyncPrefectClient
) -> None:
    """Status shows it with its error though the choice is unknown, and it can be disconnected."""
    save("good")
    save("broken", username=CANARY, password=CANARY)
    _break(client, "broken", priority="high")
    run = cli("status")
    assert run.code == 1
    assert "fails: smtp/broken: *Advanced: Priority* (`priority`): is not a whole number" in run.out
    assert any(line.startswith("smtp/good ") for line in run.out.splitlines())
    document = json.loads(cli("status", "--json").out)
    assert document["next_mail"]["relay"] == ""
    run = cli("disconnect", "smtp", "--name", "broken")
    assert run.out.endswith("The next mail goes through smtp/good.\n")


WHY = [
    ({"only": 0}, False, "it is the only one"),
    ({"only": 0}, True, "SMTP goes before SendGrid"),
    ({"a": 1, "b": 2}, True, "priority 2 is the highest of the smtp blocks"),
    ({"a": 1, "b": 1}, False, "priority 1 as smtp/b, and the older block"),
]


@pytest.mark.parametrize(("priorities", "with_sendgrid", "why"), WHY)
def test_status_says_why(
    cli: RunCli,
    save: Callable[..., None],
    save_sendgrid: Callable[[str], None],
    priorities: dict[str, int],
    with_sendgrid: bool,
    why: str,
) -> None:
    """The reason of the choice stands beside it."""
    for name, priority in priorities.items():
        save(name, priority=priority)
    if with_sendgrid:
        save_sendgrid("team")
    document = json.loads(cli("status", "--json").out)
    assert document["next_mail"]["why"] == why
    assert document["relays"][0]["name"] == document["next_mail"]["relay"]
    assert f" Why: {why}." in cli("status").out


def test_status_counts_the_outbox(cli: RunCli) -> None:
    """How many mails wait, and since when."""
    for subject in ("one", "two"):
        send_an_email.fn("ann@example.org", subject, "Body")
    document = json.loads(cli("status", "--json").out)
    assert document["outbox"]["stored"] == 2
    assert (
        cli("status")
        .out.splitlines()[-1]
        .startswith("2 mails wait in the outbox, the oldest since ")
    )
    listed = json.loads(cli("outbox", "list", "--json").out)["stored"]
    assert [mail["subject"] for mail in listed] == ["one", "two"]
    assert document["outbox"]["oldest"] == listed[0]["stored_at"]


def test_flushing_as_json(cli: RunCli, save: Callable[..., None]) -> None:
    """Receipts of what was accepted, and what is left."""
    send_an_email.fn("ann@example.org", "waits", "Body")
    waiting = json.loads(cli("outbox", "flush", "--json").out)
    assert (waiting["remaining"], waiting["accepted"]) == (1, [])
    save("relay")
    run = cli("outbox", "flush", "--json")
    document = json.loads(run.out)
    assert (run.code, document["remaining"]) == (0, 0)
    assert [receipt["relay"] for receipt in document["accepted"]] == ["smtp/relay"]


def test_a_connected_relay_is_checked(
    cli: RunCli, save: Callable[..., None], mail_server: MailServer
) -> None:
    """By its name, or the one that takes the next mail."""
    save("first", priority=1)
    save("gone", address="no-such-host.invalid")
    run = cli("check")
    assert run.code == 0
    assert run.out.startswith(f"smtp://127.0.0.1:{mail_server.port}\n")
    assert "relay@example.org: 250" in run.out
    run = cli("check", "smtp/gone")
    assert run.code == 1
    assert "  failed   DNS" in run.out


@pytest.mark.parametrize("words", [("check",), ("check", "--sender", "ann@example.org")])
def test_nothing_to_check(cli: RunCli, words: tuple[str, ...]) -> None:
    """Where nothing is connected, the options that describe a server are named."""
    run = cli(*words)
    assert (run.code, run.out) == (2, "")
    assert "--address" in run.err


def test_a_relay_that_is_not_there_is_not_checked(cli: RunCli) -> None:
    """The error lists those that are."""
    run = cli("check", "smtp/other")
    assert (run.code, run.out) == (1, "")
    assert "Connected relays: none." in run.err


def test_a_test_mail(cli: RunCli, save: Callable[..., None], mail_server: MailServer) -> None:
    """It arrives as written, and its receipt is shown; JSON is the receipt."""
    save("relay")
    words = ("send", "Ann <ann@example.org>, bob@example.org", "--subject", "[SEV1] drill")
    run = cli(*words, "--body", "It is **only** a drill.", "--from", "Ops <ops@example.org>")
    assert (run.code, run.err) == (0, "")
    (mail,) = mail_server.mails
    assert run.out.startswith(f"smtp/relay accepted {mail.message['Message-ID']}\n")
    assert "ann@example.org, bob@example.org" in run.out
    assert "250 2.0.0 queued as 1" in run.out
    assert (mail.message["Subject"], mail.reverse_path) == ("[SEV1] drill", "ops@example.org")
    receipt = json.loads(cli("send", "ann@example.org", "--json").out)
    assert (receipt["relay"], receipt["outcome"]) == ("smtp/relay", "accepted")


def test_files_are_attached(
    cli: RunCli, save: Callable[..., None], mail_server: MailServer, tmp_path: Path
) -> None:
    """Each by an option of its own; one that is not there is a wrong use, and no mail goes."""
    save("relay")
    files = [tmp_path / name for name in ("report.csv", "log.txt")]
    for file in files:
        file.write_text("a,b\n")
    attached = [word for file in files for word in ("--attach", str(file))]
    assert cli("send", "ann@example.org", *attached).code == 0
    (mail,) = mail_server.mails
    names = [part.get_filename() for part in mail.message.walk() if part.get_filename()]
    assert names == ["report.csv", "log.txt"]
    run = cli("send", "ann@example.org", "--attach", str(tmp_path / "none.csv"))
    assert (run.code, run.out) == (2, "")
    assert "none.csv" in run.err
    assert len(mail_server.mails) == 1


def test_a_process_prints_the_answer_alone(
    save: Callable[..., None], mail_server: MailServer
) -> None:
    """Its events are handed over before it ends, so Prefect has nothing to add on stderr."""
    save("relay")
    command = Path(sys.executable).with_name("prefect-smtp-relay")
    run = subprocess.run(  # noqa: S603  # our own command
        [command, "send", "ann@example.org", "--json"],
        capture_output=True,
        text=True,
        env=os.environ | {"PREFECT_API_URL": str(PREFECT_API_URL.value())},
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout)["outcome"] == "accepted"
    assert len(mail_server.mails) == 1


def test_a_relay_may_be_named(
    cli: RunCli, save: Callable[..., None], mail_server: MailServer
) -> None:
    """--relay overrides the choice."""
    save("first", address="no-such-host.invalid", priority=1)
    save("second")
    assert cli("send", "ann@example.org", "--relay", "smtp/second").code == 0
    assert len(mail_server.mails) == 1


def test_a_mail_that_fails_is_not_stored(
    cli: RunCli, save: Callable[..., None], mail_server: MailServer
) -> None:
    """The relay's words, exit code 1, and an outbox that stays empty."""
    save("relay")
    mail_server.refused["ann@example.org"] = "550 5.1.1 [nobody] here"
    run = cli("send", "ann@example.org")
    assert (run.code, run.out) == (1, "")
    assert "550 5.1.1 [nobody] here" in run.err
    run = cli("send", "ann@example.org, bob@example.org")
    assert run.code == 1
    assert "smtp/relay accepted" in run.out
    assert "ann@example.org was refused: 550 5.1.1 [nobody] here" in run.err
    assert cli("outbox", "list").out == "The outbox is empty.\n"


def test_a_mail_that_no_relay_took(cli: RunCli) -> None:
    """Default delivery stores it, which is no success for a test mail."""
    run = cli("send", "ann@example.org")
    assert (run.code, run.out) == (1, "")
    assert run.err.startswith("No relay took the mail: it was stored as ")


def test_a_mail_may_be_stored_on_purpose(cli: RunCli, save: Callable[..., None]) -> None:
    """--relay outbox does what was asked, though a relay is connected."""
    save("relay")
    run = cli("send", "ann@example.org", "--relay", "outbox")
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("As asked, the mail was stored as ")
    receipt = json.loads(cli("send", "ann@example.org", "--relay", "outbox", "--json").out)
    assert (receipt["relay"], receipt["outcome"]) == ("outbox", "stored")


def test_a_wrong_recipient(cli: RunCli) -> None:
    """The address is named, and the use is wrong, not the relay."""
    run = cli("send", "nobody")
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("to: ")
