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


def is_legacy_name(header: str, value: Any) -> bool:
    """Whether the only defect is the name of a file in the form that old Outlooks read."""
    legacy = {"encoded word inside quoted string", "missing trailing whitespace after encoded-word"}
    return header == "Content-Type" and {str(defect) for defect in value.defects} <= legacy


@pytest.fixture(scope="session")
def parse_strictly() -> Callable[[bytes], EmailMessage]:
    """Parse bytes as the standard library does, and fail on any defect of any part."""

    def parse(data: bytes) -> EmailMessage:
        message = message_from_bytes(data, policy=default)
        for part in message.walk():
            assert not part.defects, part.defects
            for name, value in part.items():
                assert not value.defects or is_legacy_name(name, value), (name, value.defects)
        return message

    return parse
