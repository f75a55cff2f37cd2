"""The fixtures that users load as a pytest plugin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pydantic import SecretStr

from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.fixtures import PASSWORD, USERNAME
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.testing.memory import InMemoryTransport
from prefect_smtp_relay.transports.smtp import Credentials, SmtpConfig, SmtpTransport


def test_the_mail_server_takes_its_account(
    mail_server: MailServer, certificates: Certificates
) -> None:
    """With the CA and the account that the kit names, a mail is accepted, encrypted."""
    config = SmtpConfig(
        "localhost",
        mail_server.port,
        verify_peer=True,
        ca_certificate=certificates.ca_pem,
        credentials=Credentials(SecretStr(USERNAME), SecretStr(PASSWORD)),
    )
    draft = compose("ann@example.org", "Build 7", text="a", html="b")
    message = draft.from_mailbox(Mailbox.parse(USERNAME))
    SmtpTransport(config).deliver(message, Envelope.of(message))
    assert [(mail.username, mail.encrypted) for mail in mail_server.mails] == [(USERNAME, True)]


def test_each_test_gets_an_empty_transport(in_memory_transport: InMemoryTransport) -> None:
    """The transport in memory starts with nothing in it."""
    assert in_memory_transport.deliveries == []
    assert in_memory_transport.name == "memory:"


def test_a_user_s_project_loads_the_fixtures(tmp_path: Path) -> None:
    """One line in a conftest.py brings the fixtures into any project."""
    (tmp_path / "conftest.py").write_text(
        'pytest_plugins = ["prefect_smtp_relay.testing.fixtures"]\n'
    )
    (tmp_path / "test_it.py").write_text(
        "def test_it(mail_server, in_memory_transport):\n    assert mail_server.port\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    result = subprocess.run(  # noqa: S603  # our own interpreter, fixed arguments
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert "1 passed" in result.stdout, result.stdout + result.stderr
