"""The flows that a person starts from Prefect's UI: check-relay, send-test-mail, relay-status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import BlockDocumentUpdate
from prefect.client.schemas.objects import BlockDocument, State
from pydantic import SecretStr

from prefect_smtp_relay import SMTP, send_an_email
from prefect_smtp_relay.flows.check_relay import check_relay
from prefect_smtp_relay.flows.relay_status import relay_status
from prefect_smtp_relay.flows.send_test_mail import send_test_mail
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp.check import STEPS
from tests.flows.artifacts import artifacts_of
from tests.mails import only_mail, text_of

_USER, _CANARY = "user-3a90", "canary-5e1f"


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """Run a mail server with a user."""
    with MailServer(users={_USER: _CANARY}, auth_in_cleartext=True) as server:
        yield server


def _connect(server: MailServer, name: str = "main", **fields: Any) -> None:
    SMTP(
        **{
            "address": server.host,
            "port": server.port,
            "ssl": False,
            "username": SecretStr(_USER),
            "password": SecretStr(_CANARY),
            "from_address": "Prefect <prefect@example.org>",
            **fields,
        }
    ).save(name)


def _break(client: SyncPrefectClient, document: BlockDocument) -> None:
    """Save a port that is not a number, as the UI can."""
    changes = BlockDocumentUpdate(data={"port": "many"}, merge_existing_data=True)
    client.update_block_document(document.id, changes)


def _text_of(client: SyncPrefectClient, state: State[Any]) -> str:
    """The text of the run's one artifact."""
    [artifact] = artifacts_of(client, state.state_details.flow_run_id)
    return str(artifact["data"])


def test_the_check_leaves_each_step_and_submits_nothing(
    mail_server: MailServer, client: SyncPrefectClient
) -> None:
    """Who reads the artifact sees what the command shows, and no secret."""
    _connect(mail_server)
    state = check_relay(return_state=True)
    assert (state.name, state.message) == ("Completed", "smtp/main: ready to take mail.")
    text = _text_of(client, state)
    assert text.startswith("# smtp\\/main is ready to take mail\n")
    shown = text.replace("\\", "")
    assert all(f"| {step} |" in shown for step in STEPS)
    assert _CANARY not in text
    assert _USER not in text
    assert mail_server.mails == []


def test_a_wrong_password_is_a_failed_run_that_says_what_to_change(
    mail_server: MailServer, client: SyncPrefectClient
) -> None:
    """The state's message, the log and the artifact name the step and the field."""
    _connect(mail_server, password=SecretStr("wrong-9d2c"))
    state = check_relay("smtp/main", return_state=True)
    assert state.name == "Failed"
    assert str(state.message).startswith("smtp/main: login: ")
    assert "*Password* (`password`)" in str(state.message)
    text = _text_of(client, state)
    assert "# smtp\\/main would not take a mail" in text
    assert "| login | **failed** | the server answered 535 " in text.replace("\\", "")
    assert "wrong-9d2c" not in text + str(state.message)
    assert "Recommended" not in text + str(state.message)  # what else is better would mislead


def test_a_password_file_that_is_not_mounted_is_a_step_of_its_own(mail_server: MailServer) -> None:
    """The run of the check says so on the worker's host, and nothing else is tried."""
    file = "/run/secrets/smtp_absent"
    _connect(mail_server, password=SecretStr(""), password_file=file)
    state = check_relay(return_state=True)
    assert state.is_failed()
    assert str(state.message).startswith("smtp/main: password file: *Advanced: Password file* ")
    assert f"{file} does not exist on this host" in str(state.message)
    assert mail_server.connections == 0


def test_all_relays_are_checked_also_after_a_failure(
    mail_server: MailServer, client: SyncPrefectClient
) -> None:
    """Each gets an artifact of its own; one with a wrong document is a finding."""
    _connect(mail_server, "good")
    _connect(mail_server, "bad")
    [document] = [d for d in client.read_block_documents() if d.name == "bad"]
    _break(client, document)
    state = check_relay("all", return_state=True)
    assert str(state.message).startswith("smtp/bad: *Port* (`port`)")
    keys = sorted(
        artifact["key"] for artifact in artifacts_of(client, state.state_details.flow_run_id)
    )
    assert keys == ["check-smtp-bad", "check-smtp-good"]


@pytest.mark.parametrize(
    ("relay", "text"),
    [
        ("next", "no relay is connected. Save an SMTP or a SendGrid block"),
        ("smtp/other", "relay: there is no block document 'smtp/other'. Connected relays: none."),
        (
            "main",
            "relay: 'main' is not a relay. Write smtp/NAME or sendgrid/NAME, with the block's",
        ),
    ],
)
def test_a_relay_that_is_not_there(relay: str, text: str) -> None:
    """The run fails with one sentence, not with a traceback."""
    state = check_relay(relay, return_state=True)
    assert state.name == "Failed"
    assert str(state.message).startswith(text)


def test_a_test_mail_is_accepted(mail_server: MailServer, client: SyncPrefectClient) -> None:
    """The state says by what, and the artifact has the mail, its recipient masked."""
    _connect(mail_server)
    state = send_test_mail("ann@example.org", return_state=True)
    mail = only_mail(mail_server)
    accepted = f"smtp/main accepted {mail.message['Message-ID']}: 250 2.0.0 "
    assert str(state.message).startswith(accepted)
    assert mail.message["Subject"] == "Test mail from Prefect"
    assert "send-test-mail" in text_of(mail)
    text = _text_of(client, state)
    assert "a\\*\\*\\*\\@example\\.org" in text
    assert "ann" not in text


@pytest.mark.parametrize(
    ("fields", "to", "text"),
    [
        ({"password": SecretStr("wrong-9d2c")}, "ann@example.org", "smtp/main, smtp://127.0.0.1:"),
        ({}, "ann", "to: 'ann' "),
        (
            {},
            "bob@example.org",
            "bob@example.org was refused: 550 5.1.1 unknown\n"
            "smtp/main accepted the mail for 1 recipient(s).",
        ),
    ],
    ids=["login", "address", "refused"],
)
def test_a_test_mail_that_is_not_accepted_says_why(
    mail_server: MailServer, fields: dict[str, Any], to: str, text: str
) -> None:
    """The run fails with the error's own text, and nothing is stored."""
    mail_server.refused["bob@example.org"] = "550 5.1.1 unknown"
    _connect(mail_server, **fields)
    state = send_test_mail(
        f"{to}, carol@example.org" if "refused" in text else to, return_state=True
    )
    assert (state.name, str(state.message)[: len(text)]) == ("Failed", text)
    assert "wrong-9d2c" not in str(state.message)


def test_a_test_mail_through_a_relay_that_is_misspelt(mail_server: MailServer) -> None:
    """What a form takes is named, not what code may pass; a mail is never stored by a test."""
    _connect(mail_server)
    for relay in ("main", "all", "outbox"):
        state = send_test_mail("ann@example.org", relay, return_state=True)
        assert f"{relay!r} is not a relay. Write smtp/NAME or sendgrid/NAME" in str(state.message)
    assert send_test_mail("ann@example.org", " smtp/main ", return_state=True).is_completed()


def test_a_test_mail_without_a_relay(mail_server: MailServer) -> None:
    """Stored is not accepted: the run fails, and says what to save."""
    state = send_test_mail("ann@example.org", return_state=True)
    assert state.name == "Failed"
    assert "Save an SMTP or a SendGrid block" in str(state.message)
    assert mail_server.mails == []


def test_the_status_says_which_relay_is_next_and_what_waits(
    mail_server: MailServer, client: SyncPrefectClient
) -> None:
    """The same as the command says, with the mails that wait as a table."""
    send_an_email.fn("ann@example.org", "Waits | here", "b", relay="outbox")
    _connect(mail_server, "second")
    _connect(mail_server, "first", priority=7)
    state = relay_status(return_state=True)
    assert state.name == "Completed"
    assert "The next mail goes through smtp/first. Why: priority 7 is" in str(state.message)
    text = _text_of(client, state)
    assert "| smtp\\/first | takes the next mail | " in text
    assert "Waits \\| here" in text
    assert _CANARY not in text


def test_a_wrong_block_makes_the_status_red(
    mail_server: MailServer, client: SyncPrefectClient
) -> None:
    """The next mail would fail, so the run does, with the document, the field and the fix."""
    _connect(mail_server)
    [document] = client.read_block_documents()
    _break(client, document)
    state = relay_status(return_state=True)
    assert state.name == "Failed"
    assert str(state.message).startswith("The next mail fails: smtp/main: *Port* (`port`)")
    text = _text_of(client, state)
    assert "fails the next mail" in text
    assert "*Port*:" in text.replace("\\:", ":")
    assert "`port" not in text.replace("\\", "")
