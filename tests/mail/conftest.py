"""What the tests of the pure core share: messages, and the standard library's parser."""

from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose


@pytest.fixture(scope="session")
def make_message() -> Callable[..., Message]:
    """Compose a message in which a test sets only what it is about."""

    def make(**given: Any) -> Message:
        values = {"to": "ann@example.org", "subject": "S", "text": "T", "html": "<p>H</p>"}
        draft = compose(**{**values, **given})
        return draft.from_mailbox(Mailbox("ops", "example.com", "Ops"), seed="fixed")

    return make


@pytest.fixture(scope="session")
def parse_strictly() -> Callable[[bytes], EmailMessage]:
    """Parse octets as the standard library does, and fail on any defect of any part."""

    def parse(octets: bytes) -> EmailMessage:
        message = message_from_bytes(octets, policy=default)
        for part in message.walk():
            assert not part.defects, part.defects
            for name, value in part.items():
                assert not value.defects, (name, value, value.defects)
        return message

    return parse
