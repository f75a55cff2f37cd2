"""The examples of docs/how-to/secrets.md, with secrets in a directory of the test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

from prefect_smtp_relay import send_an_email
from prefect_smtp_relay.settings.values import SECRET_FILES
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.docs_run.conftest import USERS
from tests.docs_run.reader import Reader, path_of_programs
from tests.pages import page

RELAYS = ("mounted", "by-command", "by-variable", "from-environment")


@pytest.fixture
def reader(
    servers: dict[int, MailServer],
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Reader:
    """Somebody on whose host the secrets of the page are mounted."""
    [password] = USERS.values()
    for file in ("run/secrets/smtp-relay/password", "run/secrets/smtp_password"):
        mounted = tmp_path / file
        mounted.parent.mkdir(parents=True, exist_ok=True)
        mounted.write_text(f"{password}\n", encoding="utf-8")
    patterns = ",".join(f"{tmp_path}{pattern}" for pattern in SECRET_FILES)
    for name in [name for name in os.environ if name.startswith("SMTP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_SECRET_FILES", patterns)
    tmp_path.joinpath("ca.pem").write_text(certificates.ca_pem, encoding="ascii")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("PREFECT_API_URL", str(PREFECT_API_URL.value()))
    server = servers[587]

    def substitute(code: str) -> str:
        return (
            code.replace(
                'address="smtp.example.org"', f'address="{server.host}",port={server.port}'
            )
            .replace("--address smtp.example.org", f"--address {server.host} --port {server.port}")
            .replace("=smtp.example.org", f"={server.host} SMTP_PORT={server.port}")
            .replace("/run/secrets/", f"{tmp_path}/run/secrets/")
        )

    return Reader(page("how-to/secrets"), substitute, {"PATH": path_of_programs()}, tmp_path)


def test_each_relay_of_the_page_logs_in_with_its_secret(
    reader: Reader, servers: dict[int, MailServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the mounted file, by code and by the command, and from the variable of the process."""
    for _ in reader.read():
        pass
    [(username, password)] = USERS.items()
    monkeypatch.setenv("SMTP_PASSWORD", password)
    for relay in RELAYS:
        send_an_email.fn("ann@example.org", "s", "b", from_=username, relay=f"smtp/{relay}")
    assert [mail.username for mail in servers[587].mails] == [username] * len(RELAYS)
    assert all(mail.encrypted for mail in servers[587].mails)
