"""``connect`` and ``status`` with a secret that is not in the block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay import SMTP, SendGrid, send_an_email
from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.testing.mail_server import MailServer

RunCli = Callable[..., Any]
CANARY = "canary-5d0f-never-shown"
USER = "flows@example.org"


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A server without TLS, for whoever has the password."""
    with MailServer(users={USER: CANARY}, auth_in_cleartext=True) as server:
        yield server


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the password is to be."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_SECRET_FILES", str(tmp_path / "*"))
    return tmp_path / "password"


def test_the_path_is_saved_and_not_the_password(
    run_cli: RunCli, server: MailServer, file: Path
) -> None:
    """The check reads the file, the next mail does, and without it the mail says what to do."""
    file.write_text(f"{CANARY}\n")
    words = ("connect", "smtp", "--address", server.host, "--port", str(server.port), "--no-ssl")
    run = run_cli(*words, "--username", USER, "--password-file", str(file))
    assert run.code == 0
    assert "ok       password file" in run.out
    assert CANARY not in run.out + run.err
    block = catalog.named("smtp/default")
    assert isinstance(block, SMTP)
    assert (block.password_file, block.password.get_secret_value()) == (str(file), "")
    send_an_email.fn("ann@example.org", "Subject", "Body")
    assert [mail.username for mail in server.mails] == [USER]
    file.unlink()
    with pytest.raises(RelayConfigurationError) as caught:
        send_an_email.fn("ann@example.org", "Subject", "Body")
    assert str(caught.value).startswith(
        f"smtp/default: *Advanced: Password file* (`password_file`): {file} does not exist"
    )
    assert Path(caught.value.kept).exists()
    assert len(server.mails) == 1


def test_a_host_without_the_file_can_still_save_and_show_the_relay(
    run_cli: RunCli, server: MailServer, file: Path
) -> None:
    """It is the workers that need it: the check says so, and --no-check saves all the same."""
    words = ("connect", "smtp", "--address", server.host, "--port", str(server.port), "--no-ssl")
    account = ("--username", USER, "--password-file", str(file))
    run = run_cli(*words, *account)
    assert run.code == 1
    assert "failed   password file" in run.out
    assert "or use --no-check" in run.err
    assert run_cli(*words, *account, "--no-check").code == 0
    status = run_cli("status")
    assert status.code == 0
    assert f"smtp://{server.host}:{server.port}" in status.out
    assert run_cli("check").code == 1


def test_the_file_s_variable_makes_a_block(
    run_cli: RunCli, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As images are configured by convention, for SMTP and for SendGrid."""
    monkeypatch.setenv("SMTP_ADDRESS", "mx.example.org")
    monkeypatch.setenv("SMTP_USERNAME", USER)
    monkeypatch.setenv("SMTP_PASSWORD_FILE", str(file))
    monkeypatch.setenv("SENDGRID_API_KEY_FILE", str(file))
    for kind in ("smtp", "sendgrid"):
        assert run_cli("connect", kind, "--from-env", "--no-check").code == 0
    relay, account = (catalog.named(f"{kind}/default") for kind in ("smtp", "sendgrid"))
    assert isinstance(relay, SMTP)
    assert isinstance(account, SendGrid)
    assert relay.password_file == account.api_key_file == str(file)


def test_both_at_once_name_their_variables(
    run_cli: RunCli, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which one is meant is not guessed."""
    monkeypatch.setenv("SENDGRID_API_KEY", CANARY)
    monkeypatch.setenv("SENDGRID_API_KEY_FILE", str(file))
    run = run_cli("connect", "sendgrid", "--from-env", "--no-check")
    assert run.code == 2
    assert run.err.startswith("Not connected: SENDGRID_API_KEY: is set, and so is *Advanced: API")
    assert CANARY not in run.err


def test_a_missing_key_can_be_named_by_its_file(run_cli: RunCli) -> None:
    """Nobody can be asked: the text names each way."""
    run = run_cli("connect", "sendgrid")
    assert run.code == 2
    assert "Pipe it in with --api-key-stdin, or name its file by --api-key-file" in run.err
