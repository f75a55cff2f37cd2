"""Messages for the transports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose


@pytest.fixture
def make_message() -> Callable[..., Message]:
    """Compose a message; keyword arguments replace the parts."""

    def make(to: Any = "ann@example.org", **parts: Any) -> Message:
        sender = Mailbox.parse(parts.pop("from_", "flows@example.org"))
        parts = {"subject": "Build 7", "text": "It broke.", "html": "<p>It broke.</p>", **parts}
        return compose(to, **parts).from_mailbox(sender)

    return make
