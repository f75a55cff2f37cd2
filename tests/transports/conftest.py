"""Messages for the transports, and the transports under the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.testing.certificates import Certificates

from .contract_subjects import SUBJECTS, Subject


@pytest.fixture
def make_message() -> Callable[..., Message]:
    """Compose a message; keyword arguments replace the parts."""

    def make(to: Any = "ann@example.org", **parts: Any) -> Message:
        sender = Mailbox.parse(parts.pop("from_", "flows@example.org"))
        parts = {"subject": "Build 7", "text": "It broke.", "html": "<p>It broke.</p>", **parts}
        return compose(to, **parts).from_mailbox(sender)

    return make


@pytest.fixture(params=SUBJECTS)
def subject(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Subject]:
    """Each transport in its turn, at work and reachable."""
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    with SUBJECTS[request.param](tmp_path, certificates) as subject:
        yield subject
