"""What the tests of the outbox share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.outbox import Outbox

from .opening import outbox_in

NewMessage = Callable[..., Message]
Store = Callable[..., Message]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the outbox lies; nobody has created it yet."""
    return tmp_path / "state" / "outbox"


@pytest.fixture
def outbox(directory: Path) -> Outbox:
    """An outbox without keys."""
    return outbox_in(directory)


@pytest.fixture
def new_message() -> NewMessage:
    """Compose a message; the same seed gives the same Message-ID."""

    def compose_one(seed: str = "one", **values: Any) -> Message:
        draft = {"to": "bob@example.net", "subject": seed, "text": "plain", "html": "<p>html</p>"}
        return compose(**{**draft, **values}).from_mailbox(Mailbox("ann", "example.org"), seed)

    return compose_one


@pytest.fixture
def store(outbox: Outbox, new_message: NewMessage) -> Store:
    """Store a message in the outbox."""

    def store_one(seed: str = "one", **values: Any) -> Message:
        message = new_message(seed, **values)
        outbox.keep(message, Envelope.of(message), "no relay")
        return message

    return store_one


class Relay:
    """Accepts everything, or does what a test tells it; remembers what it was handed."""

    def __init__(self) -> None:
        self.taken: list[tuple[Message, Envelope]] = []
        self.answer: BaseException | dict[str, Any] = {}

    def __call__(self, message: Message, envelope: Envelope) -> Receipt:
        """Take one message."""
        self.taken.append((message, envelope))
        if isinstance(self.answer, BaseException):
            raise self.answer
        accepted = [path.address for path in envelope.forward_paths]
        values = {"outcome": "accepted", "accepted": accepted, "size": 1, **self.answer}
        return Receipt.for_message(message, transport="test", **values)


@pytest.fixture
def relay() -> Relay:
    """A relay that accepts everything."""
    return Relay()
