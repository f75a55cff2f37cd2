"""Servers, and a transport that points at them."""

from __future__ import annotations

import contextlib
import logging
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.base import logger
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.smtp import (
    Credentials,
    Security,
    SmtpConfig,
    SmtpTransport,
)
from prefect_smtp_relay.transports.smtp.check import check_smtp, confusions
from tests.transports.sendgrid.api_server import ApiServer, serve

from . import odd_certificates
from .sasl_server import SaslServer
from .scripted_server import ScriptedServer


@pytest.fixture(autouse=True)
def _new_process() -> Iterator[None]:
    """Forget what the transport remembers and keeps while a process lives."""
    process_memory.reset()
    yield
    process_memory.reset()


@pytest.fixture
def logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[str]]:
    """Return what this package logged from INFO on, the mail server's own records left out."""
    # Once the tasks are imported, a filter hands the records to Prefect.
    monkeypatch.setattr(logger, "filters", [])
    caplog.set_level(logging.INFO, "prefect_smtp_relay")
    return lambda: [r.getMessage() for r in caplog.records if r.name == "prefect_smtp_relay"]


@pytest.fixture
def start() -> Iterator[Callable[..., MailServer]]:
    """Start a `MailServer` with these arguments."""
    with contextlib.ExitStack() as running:
        yield lambda **arguments: running.enter_context(MailServer(**arguments))


@pytest.fixture
def start_tls(
    start: Callable[..., MailServer], certificates: Certificates
) -> Callable[..., MailServer]:
    """Start a `MailServer` with a certificate for localhost; STARTTLS by default."""
    return lambda security="starttls", **arguments: start(
        **{"security": security, "tls_context": certificates.server_context, **arguments}
    )


@pytest.fixture
def issue() -> Callable[..., tuple[str, ssl.SSLContext]]:
    """Issue a certificate for these hosts; gives the CA's PEM and a server's context."""
    return odd_certificates.issue


@pytest.fixture
def self_signed() -> tuple[str, ssl.SSLContext]:
    """A certificate that is its own issuer, as PEM and as a server's context."""
    return odd_certificates.sign_itself()


@pytest.fixture
def play(certificates: Certificates) -> Iterator[Callable[..., ScriptedServer]]:
    """Start a `ScriptedServer`; in the end, the client must have kept to its scripts."""
    servers: list[ScriptedServer] = []
    with contextlib.ExitStack() as running:

        def start(*scripts: str, **settings: Any) -> ScriptedServer:
            settings = {"tls_context": certificates.server_context, **settings}
            server = ScriptedServer(*scripts, **settings)
            servers.append(server)
            return running.enter_context(server)

        yield start
    assert [surprise for server in servers for surprise in server.surprises] == []


@pytest.fixture
def account() -> Callable[..., Credentials]:
    """Make credentials of two plain texts."""
    return lambda username, password: Credentials(SecretStr(username), SecretStr(password))


@pytest.fixture
def start_sasl(certificates: Certificates) -> Iterator[Callable[..., SaslServer]]:
    """Start a server with STARTTLS that takes access tokens and SCRAM-SHA-256 too."""
    with contextlib.ExitStack() as running:

        def start(**arguments: Any) -> SaslServer:
            server = SaslServer("starttls", certificates.server_context, **arguments)
            running.enter_context(server)
            return server

        yield start


@pytest.fixture
def endpoint() -> Iterator[ApiServer]:
    """Run an HTTP server that answers as a token endpoint does, once the test scripts it."""
    with serve() as server:
        yield server


@pytest.fixture
def transport_to() -> Callable[..., SmtpTransport]:
    """Point a transport at a server; plain text where nothing else is said."""

    def point(server: MailServer | ScriptedServer, **settings: Any) -> SmtpTransport:
        settings = {"security": Security.PLAIN_TEXT, "timeout_seconds": 5.0, **settings}
        return SmtpTransport(
            SmtpConfig(**{"address": "127.0.0.1", "port": server.port, **settings})
        )

    return point


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    """Check a server by its port; no probe reaches for a port that the test did not open."""
    monkeypatch.setattr(confusions, "_SUBMISSION_PORTS", {})

    def run(server: MailServer | ScriptedServer, **settings: Any) -> Report:
        sender = settings.pop("sender", Mailbox.parse("flows@example.org"))
        recipient = settings.pop("recipient", None)
        settings = {"address": "localhost", "timeout_seconds": 5.0, **settings}
        report = check_smtp(SmtpConfig(port=server.port, **settings), sender, recipient)
        assert "canary" not in report.model_dump_json() + repr(report)
        return report

    return run


@pytest.fixture
def submit(
    transport_to: Callable[..., SmtpTransport], make_message: Callable[..., Message]
) -> Callable[..., Receipt]:
    """Submit a message to a server, by a transport with these settings."""

    def submit(
        server: MailServer | ScriptedServer, message: Message | None = None, **settings: Any
    ) -> Receipt:
        message = message or make_message()
        return transport_to(server, **settings).deliver(message, Envelope.of(message))

    return submit


@pytest.fixture
def submit_all(
    transport_to: Callable[..., SmtpTransport], make_message: Callable[..., Message]
) -> Callable[..., list[Receipt | EmailError]]:
    """Submit one message to each of these in bulk; keyword arguments are settings."""

    def submit_all(
        server: MailServer | ScriptedServer, *to: str, connections: int = 1, **settings: Any
    ) -> list[Receipt | EmailError]:
        messages = [make_message(address, subject=address) for address in to]
        mails = [(message, Envelope.of(message)) for message in messages]
        return transport_to(server, **settings).deliver_all(mails, connections)

    return submit_all
