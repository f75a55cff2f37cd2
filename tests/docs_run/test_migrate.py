"""docs/how-to/migrate.md: what arrives before a migration and after it, from its own examples."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from apprise.plugins.sendgrid import NotifySendGrid
from prefect.blocks.notifications import SendgridEmail
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger
from prefect.settings import PREFECT_API_URL
from prefect_email import EmailServerCredentials

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer, ReceivedMail
from tests.docs_run.conftest import USERS
from tests.docs_run.reader import Reader
from tests.pages import page
from tests.transports.sendgrid.api_server import ApiServer

pytestmark = pytest.mark.filterwarnings(
    # Apprise, which Prefect's block uses, looks for a module that Python 3.13 does not have.
    "ignore:'imghdr' is deprecated:DeprecationWarning"
)

_FORWARD_PATHS = {f"{name}@example.org" for name in ("ann", "bob", "team", "audit")}


_OFF = {"ssl": False, "enable_starttls": False, "enable_starttls_auto": False}
_CREDENTIALS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "defaults",
        {"username": "ann@gmail.com", "password": "app"},
        {"address": "smtp.gmail.com", "port": 465, "ssl_verify_mode": "peer", **_OFF, "ssl": True},
    ),
    (
        "starttls",
        {"smtp_server": "mx.example.org", "smtp_type": "STARTTLS", "verify": False},
        {"port": 587, "ssl_verify_mode": "none", **_OFF, "enable_starttls": True},
    ),
    (
        "insecure",
        {"smtp_server": "mx.example.org", "smtp_type": "INSECURE", "password": "left over"},
        {"address": "mx.example.org", "port": 25, "username": "", "password": "", **_OFF},
    ),
    (
        "own-port",
        {"smtp_server": "mx.example.org", "smtp_type": "SSL", "smtp_port": 8465},
        {"port": 8465, **_OFF, "ssl": True},
    ),
]


@pytest.fixture
def relay(certificates: Certificates) -> Iterator[MailServer]:
    """Run what smtp.example.org means: a server with STARTTLS and one account."""
    with MailServer(
        security="starttls", tls_context=certificates.server_context, users=USERS
    ) as server:
        yield server


@pytest.fixture
def reader(
    relay: MailServer,
    api: ApiServer,
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Reader:
    """Somebody who has the report in this folder, and a mail server and SendGrid on this host."""
    tmp_path.joinpath("ca.pem").write_text(certificates.ca_pem, encoding="ascii")
    tmp_path.joinpath("report.csv").write_text("table,rows\nusers,12\n", encoding="ascii")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setattr(NotifySendGrid, "notify_url", f"{api.url}/v3/mail/send")
    monkeypatch.chdir(tmp_path)
    local = {
        'smtp_server="smtp.example.org"': f'smtp_server="{relay.host}", smtp_port={relay.port}',
        '"smtp.example.org", port=587': f'"{relay.host}", port={relay.port}',
        "SendGrid(api_key": f'SendGrid(api_url="{api.url}", api_key',
    }

    def substitute(code: str) -> str:
        for example, own in local.items():
            code = code.replace(example, own)
        return code

    environment = {"PREFECT_API_URL": str(PREFECT_API_URL.value())}
    return Reader(page("how-to/migrate"), substitute, environment, tmp_path)


@pytest.fixture
def automation(client: SyncPrefectClient, reader: Reader) -> Iterator[str]:
    """Have an automation that mails by the block that the page replaces."""
    del reader
    block = SendgridEmail(api_key="SG.x", sender_email="a@example.org", to_emails=["b@c.example"])
    action = SendNotification(block_document_id=block.save("on-call"), subject="s", body="b")
    trigger = EventTrigger(expect={"prefect.flow-run.Failed"}, threshold=1)
    wanted = AutomationCore(name="Tell of failures", trigger=trigger, actions=[action])
    automation_id = client.create_automation(wanted)
    yield wanted.name
    client.delete_automation(automation_id)


def test_the_mails_before_and_after_a_migration_are_the_same(
    reader: Reader,
    automation: str,
    relay: MailServer,
    api: ApiServer,
    client: SyncPrefectClient,
) -> None:
    """Both sides' recipients, texts and files are alike; the automation has the new block."""
    list(reader.read())
    for before, after in (relay.mails[:2], relay.mails[2:]):
        _compare(before, after)
    *separate, together = (request.payload for request in api.requests)
    assert [_recipients(payload) for payload in separate] == [
        ["ann@example.org"],
        ["bob@example.org"],
    ]
    assert _recipients(together) == ["ann@example.org", "bob@example.org"]
    assert {str(payload["from"]) for payload in separate} == {str(together["from"])}
    assert "The import has failed." in together["content"][0]["value"]
    [changed] = client.read_automations_by_name(automation)
    new = client.read_block_document_by_name("on-call", "send-an-email")
    assert [getattr(a, "block_document_id", None) for a in changed.actions] == [new.id]


@pytest.mark.parametrize(("name", "old", "new"), _CREDENTIALS, ids=[c[0] for c in _CREDENTIALS])
def test_each_kind_of_credentials_becomes_a_block_as_strict(
    name: str, old: dict[str, Any], new: dict[str, Any], reader: Reader
) -> None:
    """Server, port, encryption and the check of the certificate are what they were."""
    EmailServerCredentials(**old).save(name)
    move = reader.page.blocks("python")[1].code
    exec(move, {"EmailServerCredentials": EmailServerCredentials})  # noqa: S102  # our own example
    block = SMTP.load(name)
    assert isinstance(block, SMTP)
    assert {field: _plain(getattr(block, field)) for field in new} == new


def test_prefect_email_mails_nothing_in_a_sync_flow(reader: Reader, relay: MailServer) -> None:
    """The page is right that such a flow completes, and that no mail is submitted."""
    source = reader.page.blocks("python")[0].code
    source = source.replace("async def", "def").replace("await ", "").replace(".aload", ".load")
    source = source.replace("asyncio.run(report_before())", "report_before()")
    with pytest.warns(RuntimeWarning, match="never awaited"):
        exec(reader.substitute(source), {"__name__": "page"})  # noqa: S102  # our own example
    assert relay.mails == []


def _plain(value: Any) -> Any:
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


def _compare(before: ReceivedMail, after: ReceivedMail) -> None:
    """Look at what people notice of two mails."""
    assert set(before.forward_paths) == set(after.forward_paths) == _FORWARD_PATHS
    assert before.reverse_path == after.reverse_path
    assert (before.encrypted, before.username) == (after.encrypted, after.username)
    old, new = before.message, after.message
    for field in ("From", "To", "Cc", "Bcc", "Reply-To", "Subject", "X-Team"):
        assert old[field] == new[field]
    assert _texts(old) == _texts(new)
    assert _files(old) == _files(new) == {"report.csv": b"table,rows\nusers,12\n"}


def _texts(message: EmailMessage) -> dict[str, str]:
    parts = (part for part in message.walk() if part.get_content_maintype() == "text")
    return {p.get_content_type(): p.get_content().strip() for p in parts if not p.get_filename()}


def _files(message: EmailMessage) -> dict[str | None, bytes]:
    files = [part for part in message.walk() if part.get_filename()]
    contents = ((part.get_filename(), part.get_content()) for part in files)
    return {name: c if isinstance(c, bytes) else c.encode() for name, c in contents}


def _recipients(payload: Any) -> list[str]:
    [personalization] = payload["personalizations"]
    return [to["email"] for to in personalization["to"]]
