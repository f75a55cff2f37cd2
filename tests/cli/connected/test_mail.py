"""What the command line does with a Prefect server and a mail server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL
from pydantic import SecretStr

from prefect_smtp_relay import SMTP, SendGrid, send_an_email
from prefect_smtp_relay.mail.sender import FROM_PENDING
from prefect_smtp_relay.testing.mail_server import MailServer

RunCli = Callable[..., Any]


@pytest.fixture
def connect(mail_server: MailServer) -> Callable[..., SMTP]:
    """Connect the mail server under a name."""

    def save(name: str, **fields: Any) -> SMTP:
        relay = SMTP(
            **{
                "address": mail_server.host,
                "port": mail_server.port,
                "ssl": False,
                "from_address": "Relay <relay@example.org>",
                **fields,
            }
        )
        relay.save(name)
        return relay

    return save


@pytest.fixture
def store() -> Callable[[str], None]:
    """Send a mail while nothing is connected."""
    return lambda subject: _store(subject)


def _store(subject: str) -> None:
    receipt = send_an_email.fn("ann@example.org", subject, "Body", bcc="hidden@example.org")
    assert receipt.outcome == "stored"


def test_status_says_that_nothing_is_connected(run_cli: RunCli, outbox_path: Path) -> None:
    """Where mail goes instead is named in one line."""
    spool = outbox_path.parent
    expected = f"No relay is connected; mail is stored in {spool}.\nThe outbox is empty.\n"
    assert run_cli("status") == (0, f"Prefect API: {PREFECT_API_URL.value()}\n{expected}", "")


def test_status_says_that_mail_is_refused(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting ``default_delivery`` decides what is said."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_DEFAULT_DELIVERY", "refuse")
    refused = "No relay is connected; mail is refused."
    assert run_cli("status").out.splitlines()[1:] == [refused, "The outbox is empty."]


def test_status_lists_the_order_of_choice(
    run_cli: RunCli, connect: Callable[..., SMTP], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SMTP stands before SendGrid, a higher priority first; the first takes the next mail."""
    monkeypatch.setenv("COLUMNS", "20")
    SendGrid(api_key=SecretStr("SG.key"), priority=99).save("team")
    connect("second", priority=1)
    connect("first", priority=7)
    run = run_cli("status")
    _, *lines, why, _ = run.out.splitlines()
    assert [line.split()[0] for line in lines] == ["smtp/first", "smtp/second", "sendgrid/team"]
    assert why == (
        "The next mail goes through smtp/first. Why: priority 7 is the highest of the smtp blocks."
    )
    assert ["takes the next mail" in line for line in lines] == [True, False, False]
    assert lines[0].endswith(", priority 7")
    assert "  smtp://127.0.0.1:" in lines[0]
    assert lines[2].endswith("  sendgrid://api.sendgrid.com, priority 99")
    assert (run.code, run.err) == (0, "")


def test_status_names_what_is_wrong_with_a_document(
    run_cli: RunCli, client: SyncPrefectClient, connect: Callable[..., SMTP]
) -> None:
    """A document that the UI saved with a wrong value is shown with its error, not skipped."""
    connect("broken", username="user", password="a-password-to-hide")
    _break(client, "broken")
    SendGrid(api_key=SecretStr("SG.key")).save("team")
    run = run_cli("status")
    _, first, second, next_mail, _ = run.out.splitlines()
    assert next_mail.startswith("The next mail fails: smtp/broken: *Port* (`port`): ")
    assert first.startswith("smtp/broken    fails the next mail  is invalid: ")
    assert "*Port* (`port`): " in first
    assert second.startswith("sendgrid/team ")
    assert "next mail" not in second
    assert (run.code, run.err) == (1, "")
    assert "a-password-to-hide" not in run.out


def _break(client: SyncPrefectClient, name: str) -> None:
    document = client.read_block_document_by_name(name, "smtp")
    client.request(
        "PATCH",
        "/block_documents/{id}",
        path_params={"id": document.id},
        json={"data": {**document.data, "port": 99999}, "merge_existing_data": False},
    ).raise_for_status()


def test_list_shows_what_was_stored(run_cli: RunCli, store: Callable[[str], None]) -> None:
    """Subjects are shown as they are, the oldest first, with the reason."""
    store("[SEV1] older")
    store("[bold]newer")
    lines = run_cli("outbox", "list").out.splitlines()
    assert lines[0].endswith("  [SEV1] older")
    assert lines[1:3] == ["    to   ann@example.org, 1 in Bcc", "    why  no relay was connected"]
    assert lines[3].endswith("  [bold]newer")
    assert lines[6:] == ["2 mails, the oldest stored just now."]


def test_flush_without_a_relay_leaves_everything(
    run_cli: RunCli, store: Callable[[str], None], outbox_path: Path
) -> None:
    """It says what to connect, exits with 1, and changes no file."""
    store("one")
    store("two")
    before = {file: file.read_bytes() for file in outbox_path.iterdir()}
    run = run_cli("outbox", "flush")
    assert (run.code, run.out) == (1, "")
    assert run.err == (
        "No relay is connected: 2 left in the outbox. Save an SMTP or a SendGrid block, then run"
        " this again.\n"
    )
    assert {file: file.read_bytes() for file in outbox_path.iterdir()} == before


def test_flush_submits_what_waited(
    run_cli: RunCli,
    store: Callable[[str], None],
    connect: Callable[..., SMTP],
    mail_server: MailServer,
) -> None:
    """The relay's sender replaces the one that was left open, in the header and the envelope."""
    store("[SEV1] waited")
    connect("relay")
    run = run_cli("outbox", "flush")
    (mail,) = mail_server.mails
    assert mail.message["From"] == "Relay <relay@example.org>"
    assert mail.reverse_path == "relay@example.org"
    assert mail.forward_paths == ("ann@example.org", "hidden@example.org")
    assert mail.message["Subject"] == "[SEV1] waited"
    assert FROM_PENDING.domain.encode() not in _without_message_id(mail.octets)
    assert run.out == (
        f"smtp/relay accepted {mail.message['Message-ID']}\n1 accepted, 0 left in the outbox.\n"
    )
    assert (run.code, run.err) == (0, "")


def _without_message_id(octets: bytes) -> bytes:
    """The Message-ID names the place where it was minted, and never changes."""
    return b"\n".join(line for line in octets.splitlines() if not line.startswith(b"Message-ID:"))


def test_flushing_twice_submits_once(
    run_cli: RunCli,
    store: Callable[[str], None],
    connect: Callable[..., SMTP],
    mail_server: MailServer,
    outbox_path: Path,
) -> None:
    """What a relay has accepted is gone from the outbox."""
    store("once")
    connect("relay")
    assert run_cli("outbox", "flush").code == 0
    assert run_cli("outbox", "flush") == (0, "0 accepted, 0 left in the outbox.\n", "")
    assert len(mail_server.mails) == 1
    assert list(outbox_path.iterdir()) == []


def test_flush_keeps_the_pace_of_all_workers(
    run_cli: RunCli,
    client: SyncPrefectClient,
    store: Callable[[str], None],
    connect: Callable[..., SMTP],
) -> None:
    """After an outage, what has waited must not go out faster than the relay permits."""
    store("waited")
    connect("paced", messages_per_minute=600)
    assert run_cli("outbox", "flush").code == 0
    limit = client.read_global_concurrency_limit_by_name("smtp-relay.smtp.paced.messages")
    assert limit.active_slots > 0


def test_flush_keeps_what_the_relay_refuses(
    run_cli: RunCli,
    store: Callable[[str], None],
    connect: Callable[..., SMTP],
    mail_server: MailServer,
) -> None:
    """The relay's words are shown and become the reason, and the exit code is 1."""
    store("refused")
    connect("relay")
    mail_server.refused["DATA"] = "554 5.7.1 [policy] says no"
    run = run_cli("outbox", "flush")
    assert (run.code, run.out) == (1, "0 accepted, 1 left in the outbox.\n")
    assert "[policy] says no" in run.err
    assert len(run.err.splitlines()) == 1
    assert "[policy] says no" in run_cli("outbox", "list").out


def test_flush_with_an_invalid_document_changes_nothing(
    run_cli: RunCli,
    client: SyncPrefectClient,
    store: Callable[[str], None],
    connect: Callable[..., SMTP],
) -> None:
    """One line names the document, and the stored mail keeps its own reason."""
    store("waiting")
    connect("broken")
    _break(client, "broken")
    run = run_cli("outbox", "flush")
    assert (run.code, run.out) == (1, "")
    assert run.err.startswith("smtp/broken: *Port* (`port`): ")
    assert len(run.err.splitlines()) == 1
    assert "no relay was connected" in run_cli("outbox", "list").out
