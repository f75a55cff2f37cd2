"""No secret shows where people and programs look: one canary, searched for everywhere."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from prefect_smtp_relay import SMTP, SendGrid
from prefect_smtp_relay.blocks.documents import Connected
from prefect_smtp_relay.delivery.routing import Relay, choose_relay, open_outbox
from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    CleartextRefused,
    EmailError,
    RelayConfigurationError,
)
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.spool import open_spool
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.base import Transport, logger
from prefect_smtp_relay.transports.smtp import Credentials, SmtpConfig, SmtpTransport
from prefect_smtp_relay.transports.smtp.connect.connection import connect
from prefect_smtp_relay.transports.smtp.session import session
from tests.echoing_sendgrid import echoing_sendgrid
from tests.transports.sendgrid.api_server import Handler, reply, serve
from tests.transports.smtp.scripted_server import ScriptedServer

CANARY = "canary-4f1c9b7e-never-shown"
USERNAME = f"user-{CANARY}@example.org"

BLOCKS: dict[str, Callable[[], SMTP | SendGrid]] = {
    "SMTP": lambda: smtp(),
    "SMTP with OAuth": lambda: smtp_with_oauth(),
    "SendGrid": lambda: SendGrid(api_key=SecretStr(CANARY)),
}


def smtp(**fields: Any) -> SMTP:
    """An SMTP block with canaries."""
    values: dict[str, Any] = {"address": "127.0.0.1", "username": USERNAME, "password": CANARY}
    return SMTP(**{**values, **fields})


def smtp_with_oauth(**fields: Any) -> SMTP:
    """An SMTP block with canaries whose access tokens come from a token endpoint."""
    values: dict[str, Any] = {
        "password": "",
        "authentication": "xoauth2",
        "oauth_token_url": "https://id.example.org/token",
        "oauth_client_id": "app",
        "oauth_client_secret": f"client-{CANARY}",
        "oauth_refresh_token": f"refresh-{CANARY}",
    }
    return smtp(**{**values, **fields})


def spelled(value: object) -> str:
    """Every way in which a value becomes text without anybody asking for its secrets."""
    return f"{value!r} {value} {value:} {[value]} { {'key': value} }"


def told(error: BaseException) -> str:
    """Every way in which an error is told: its texts, its traceback with causes, its pickle."""
    trace = "".join(traceback.format_exception(error))
    pickled = pickle.dumps(error).decode("latin-1") if isinstance(error, EmailError) else ""
    return f"{spelled(error)} {trace} {pickled}"


@pytest.fixture(autouse=True)
def _log_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let caplog see what the tasks, where a test has loaded them, hand on to Prefect's log."""
    monkeypatch.setattr(logger, "filters", [])


@pytest.fixture
def message() -> Message:
    """A message for any transport."""
    draft = compose("ann@example.org", "Subject", text="Text", html="<p>Text</p>")
    return draft.from_mailbox(Mailbox.parse("ops@example.org"))


@pytest.fixture
def failure(
    message: Message, caplog: pytest.LogCaptureFixture
) -> Callable[[Transport, type[EmailError]], str]:
    """Deliver what has to fail; return what is told and logged of it, at DEBUG."""

    def fail(transport: Transport, kind: type[EmailError]) -> str:
        with caplog.at_level(logging.DEBUG), pytest.raises(kind) as caught:
            transport.deliver(message, Envelope.of(message))
        ours = [r.getMessage() for r in caplog.records if not r.name.startswith("mail.log")]
        return f"{told(caught.value)} {ours}"

    return fail


@pytest.mark.parametrize("make", BLOCKS.values(), ids=BLOCKS)
def test_blocks_can_be_printed_and_dumped(make: Callable[[], SMTP | SendGrid]) -> None:
    """Blocks mask their secrets in every text and dump, and still hold them."""
    block = make()
    dumps = f"{block.model_dump()} {block.model_dump_json()} {block.model_dump(mode='json')}"
    assert CANARY not in spelled(block) + dumps
    assert "***" in block.model_dump_json()
    revealed = block.model_dump(mode="json", context={"include_secrets": True})
    assert CANARY in json.dumps(revealed)


@pytest.mark.parametrize("make", BLOCKS.values(), ids=BLOCKS)
def test_what_blocks_make_can_be_printed(make: Callable[[], SMTP | SendGrid]) -> None:
    """Configurations, transports and chosen relays hold the secret and show none of it."""
    block = make()
    relay = choose_relay(block, current_settings())
    made = [block.get_config(), block.get_transport(), relay, relay.transport, relay.name]
    assert CANARY not in "".join(map(spelled, made))


def test_a_secret_in_a_file_is_masked_like_one_in_the_block(
    start_server: Callable[..., MailServer],
    failure: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is made of the block, and what is told where the server refuses the password."""
    file = tmp_path / "password"
    file.write_text(CANARY)
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_SECRET_FILES", str(file))
    server = start_server("starttls", users={"somebody": "else"})
    block = smtp(port=server.port, password="", password_file=str(file))
    relay = choose_relay(block, current_settings())
    assert CANARY not in "".join(map(spelled, [block, block.get_config(), relay, relay.transport]))
    assert CANARY not in failure(relay.transport, AuthenticationFailed)


def test_what_holds_credentials_can_be_printed() -> None:
    """Credentials, an SMTP configuration, a document and a relay, made by hand."""
    credentials = Credentials(SecretStr(USERNAME), SecretStr(CANARY))
    config = SmtpConfig("127.0.0.1", credentials=credentials)
    document = Connected("smtp", "name", {"address": "h", "password": CANARY}, datetime.now(UTC))
    relay = Relay("smtp/name", SmtpTransport(config), ("", USERNAME))
    assert CANARY not in "".join(map(spelled, [credentials, config, document, relay]))


def test_settings_and_outbox_can_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The spool's key is masked in the settings, and nowhere in the outbox's texts."""
    key = Fernet.generate_key().decode()
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL_KEY", key)
    settings = current_settings()
    outbox = open_outbox(settings)
    assert settings.spool_key[0].get_secret_value() == key
    assert key not in spelled(settings) + spelled(outbox) + outbox.name


def test_a_wrong_spool_key_is_not_repeated(tmp_path: Path) -> None:
    """The error about a key that is none does not show it."""
    with pytest.raises(RelayConfigurationError) as caught:
        open_spool(str(tmp_path), [SecretStr(CANARY)])
    assert CANARY not in told(caught.value)


def test_a_session_can_be_printed(
    start_server: Callable[..., MailServer], caplog: pytest.LogCaptureFixture
) -> None:
    """A session that has logged in shows neither name nor password, and logs none."""
    server = start_server("starttls", users={USERNAME: CANARY})
    block = smtp(port=server.port)
    with caplog.at_level(logging.DEBUG, "prefect_smtp_relay"):
        opened: session.Session = connect(block.get_config())
    opened.quit()
    ours = [r.getMessage() for r in caplog.records if r.name == "prefect_smtp_relay"]
    assert ours
    assert CANARY not in f"{spelled(opened)} {opened.extensions} {ours}"


@pytest.mark.parametrize("mechanism", ["plain", "login", "cram_md5"])
def test_a_refused_password_is_not_repeated(
    start_server: Callable[..., MailServer], failure: Callable[..., str], mechanism: str
) -> None:
    """Wrong credentials, by every mechanism, over TLS."""
    server = start_server("starttls", users={"somebody": "else"})
    block = smtp(port=server.port, authentication=mechanism)
    text = failure(block.get_transport(), AuthenticationFailed)
    assert "AUTH" in text
    assert CANARY not in text


def test_a_password_that_may_not_cross_in_clear_is_not_told(
    start_server: Callable[..., MailServer],
    failure: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The refusal to authenticate without TLS names no credentials."""
    server = start_server("plain", users={USERNAME: CANARY}, auth_in_cleartext=True)
    monkeypatch.setattr(session, "is_loopback", lambda _: False)
    block = smtp(port=server.port, ssl=False, enable_starttls_auto=False)
    text = failure(block.get_transport(), CleartextRefused)
    assert CANARY not in text
    assert server.mails == []


def test_a_key_that_sendgrid_repeats_is_not_told(failure: Callable[..., str]) -> None:
    """A 401 whose reason and field echo the Authorization header."""
    with echoing_sendgrid() as url:
        block = SendGrid(api_key=SecretStr(CANARY), api_url=url)
        text = failure(block.get_transport(), AuthenticationFailed)
    assert "401" in text
    assert CANARY not in text


def test_what_a_token_endpoint_repeats_is_not_told(failure: Callable[..., str]) -> None:
    """A 400 that echoes the form, for a block whose mail server offers XOAUTH2."""
    greeting = "S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 AUTH XOAUTH2"
    with serve() as endpoint, ScriptedServer(greeting) as server:
        endpoint.answers = [echo_form]
        block = smtp_with_oauth(
            port=server.port,
            oauth_token_url=f"{endpoint.url}/token",
            ssl=False,
            enable_starttls_auto=False,
        )
        text = failure(block.get_transport(), AuthenticationFailed)
    assert "invalid_grant: you sent grant_type=refresh_token" in text
    assert CANARY not in text


def echo_form(handler: Handler) -> None:
    """Answer as a token endpoint that quotes the whole request in its error."""
    form = handler.api.requests[-1].body.decode()
    said = f"you sent {form}, {dict(parse_qsl(form))}"
    reply(400, json.dumps({"error": "invalid_grant", "error_description": said}))(handler)


@pytest.fixture
def start_server(certificates: Certificates) -> Iterator[Callable[..., MailServer]]:
    """Start a mail server with these arguments."""
    with ExitStack() as running:
        yield lambda security, **arguments: running.enter_context(
            MailServer(security, certificates.server_context, **arguments)
        )
