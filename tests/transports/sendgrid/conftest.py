from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.sendgrid import SendGridConfig, SendGridTransport
from prefect_smtp_relay.transports.waiting import wait_for

from .api_server import ApiServer, serve

CANARY = "SG.canary-key.Zq7-never_shown"

MakeMessage = Callable[..., Message]
MakeTransport = Callable[..., SendGridTransport]
Deliver = Callable[..., Receipt]


@pytest.fixture(autouse=True)
def _close_connections() -> Iterator[None]:
    """A client reads the environment once: the next test has one of its own."""
    yield
    process_memory.reset()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """A local SendGrid that accepts every mail, unless ``answers`` scripts something else."""
    with serve() as server:
        yield server


@pytest.fixture
def make_message() -> MakeMessage:
    """Compose a message that is the same every time."""

    def make(to: Any = "ann@example.org", **changes: Any) -> Message:
        values: dict[str, Any] = {"subject": "Disk full", "text": "Text", "html": "<p>HTML</p>"}
        draft = compose(to, **{**values, **changes})
        message = draft.from_mailbox(draft.requested_from or Mailbox.parse("ops@example.com"))
        return replace(
            message,
            message_id="<id-1@example.com>",
            date=datetime(2024, 5, 1, tzinfo=UTC),
        )

    return make


@pytest.fixture
def canary() -> str:
    """The API key that must be seen nowhere but in the Authorization header."""
    return CANARY


@pytest.fixture
def make_transport(api: ApiServer) -> MakeTransport:
    """Make a transport to the local SendGrid."""

    def make(wait: Callable[[float], None] = wait_for, **changes: Any) -> SendGridTransport:
        settings = {"api_key": SecretStr(CANARY), "api_url": api.url, "timeout_seconds": 10.0}
        return SendGridTransport(SendGridConfig(**{**settings, **changes}), wait)

    return make


@pytest.fixture
def deliver(make_message: MakeMessage, make_transport: MakeTransport) -> Deliver:
    """Deliver the usual message, or another one, with these settings of the transport."""

    def run(message: Message | None = None, **settings: Any) -> Receipt:
        message = message or make_message()
        return make_transport(**settings).deliver(message, Envelope.of(message))

    return run
