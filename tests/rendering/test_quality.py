"""The incident mail as filters and strict parsers see it, on its way through a real mail server."""

from __future__ import annotations

import email
import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, EmailPolicy, default
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.flows.incidents.incident import Incident
from prefect_smtp_relay.flows.incidents.notification import describe
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp import Security, SmtpConfig, SmtpTransport
from tests.programs import find_program

_HARMLESS = {"HTML_MESSAGE", "NO_RECEIVED", "NO_RELAYS"}
"""It has HTML; and no relay has written a Received field yet."""
_HIGHEST_SCORE = 0.5

MAILS: dict[str, dict[str, Any]] = {
    "as the flow writes it": {},
    "with a logo": {"custom_logo_url": "https://example.org/logo.png"},
    "without a frame": {"include_header": False, "include_footer": False, "preheader": ""},
}


@pytest.fixture(params=MAILS.values(), ids=list(MAILS))
def octets(request: pytest.FixtureRequest) -> Iterator[bytes]:
    """Give the mail about the demo's first incident, as a mail server got it."""
    demo = Path(__file__).parents[2] / "demo" / "incidents.json"
    incident = Incident(**json.loads(demo.read_text(encoding="utf-8"))[0])
    mail: Any = {
        "to": "Zoë <zoe@stakeholders.example>",
        **describe(incident, "declared", datetime(2026, 3, 14, 4, tzinfo=UTC)),
        **request.param,
    }
    message = draft(mail, SmtpRelaySettings()).from_mailbox(
        Mailbox("incidents", "demo.example", "Incidents")
    )
    with MailServer() as server:
        config = SmtpConfig(address=server.host, port=server.port, security=Security.PLAIN_TEXT)
        SmtpTransport(config).deliver(message, Envelope.of(message))
        yield server.mails[0].octets


@pytest.fixture(scope="module")
def spamassassin() -> str:
    """Find the program; without it the tests are skipped, but never in CI."""
    return find_program("spamassassin", "filter")


def test_a_spam_filter_finds_nothing(spamassassin: str, octets: bytes, tmp_path: Path) -> None:
    """SpamAssassin's offline rules score 0.5 at most, and none of them is about a form."""
    done = subprocess.run(  # noqa: S603 - Debian's program, fixed arguments
        [spamassassin, "--local", "--test-mode", "--nocreate-prefs"],
        input=octets,
        env={**os.environ, "HOME": str(tmp_path), "LC_ALL": "C"},
        capture_output=True,
        check=True,
        timeout=120,
    )
    header = re.sub(r"\r?\n\t", "", done.stdout.decode())
    found = re.search(r"^X-Spam-Status: No, score=(\S+) .*?tests=(\S+)", header, re.MULTILINE)
    assert found, header[:2000]
    assert float(found[1]) <= _HIGHEST_SCORE
    assert set(found[2].split(",")) <= _HARMLESS


@pytest.mark.parametrize("policy", [default, SMTP, SMTPUTF8], ids=["default", "SMTP", "SMTPUTF8"])
def test_strict_parsers_find_no_defect(octets: bytes, policy: EmailPolicy) -> None:
    """Every part and header is read by the standard library with any defect being an error."""
    message = email.message_from_bytes(octets, policy=policy.clone(raise_on_defect=True))
    assert isinstance(message, EmailMessage)
    assert [part.get_content_type() for part in message.walk()] == [
        *("multipart/alternative", "text/plain", "text/html")
    ]
    for part in message.walk():
        assert not part.defects
        for name, value in part.items():
            assert not value.defects, (name, value)
        assert part.is_multipart() or part.get_content()


def test_the_mail_is_far_from_being_cut_off(octets: bytes) -> None:
    """Gmail shows 102 KB of a mail, and this is a small part of it."""
    assert len(octets) < 20_000
