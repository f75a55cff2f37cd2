"""Logging in at Debian's Dovecot, whose ideas of a password are its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import AuthenticationFailed
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp import (
    Credentials,
    Mechanism,
    Security,
    SmtpConfig,
    SmtpTransport,
)
from prefect_smtp_relay.transports.smtp.check import check_smtp
from tests.programs import find_program

from .dovecot import run_dovecot

PASSWORDS = {
    "ordinal": "p\u00aass",
    "trade-mark": "pass\u2122word",
    "no-break-space": "x\u00a0y1",
    "decomposed": "pa\u0308ss",
    "soft-hyphen": "so\u00adft",
    "emoji": "open-\N{GRINNING FACE}",
    "ascii": ' "%\\ pass',
}
MECHANISMS: list[Mechanism] = ["plain", "login", "cram_md5", "scram_sha_256"]


@pytest.fixture(scope="module")
def relay() -> Iterator[MailServer]:
    """The server that gets what Dovecot lets in."""
    with MailServer() as server:
        yield server


@pytest.fixture(scope="module")
def settings(relay: MailServer) -> Iterator[dict[str, Any]]:
    """How to reach a Dovecot that has an account for each of the passwords."""
    program = find_program("dovecot", "mail server", "dovecot-core dovecot-submissiond")
    with tempfile.TemporaryDirectory(prefix="dovecot-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with run_dovecot(program, folder, PASSWORDS, relay.port) as (port, ca_pem):
            yield {
                "address": "localhost",
                "port": port,
                "security": Security.STARTTLS,
                "verify_peer": True,
                "ca_certificate": ca_pem,
            }


@pytest.fixture(autouse=True)
def _new_process() -> Iterator[None]:
    yield
    process_memory.reset()


def submit(settings: dict[str, Any], username: str, password: str, mechanism: Mechanism) -> None:
    """Submit a mail as this account."""
    credentials = Credentials(SecretStr(username), SecretStr(password))
    config = SmtpConfig(**settings, credentials=credentials, mechanism=mechanism)
    message = compose(
        "ann@example.org", subject=username, text="Hello", html="<p>Hello"
    ).from_mailbox(Mailbox.parse("flows@example.org"))
    SmtpTransport(config).deliver(message, Envelope.of(message))


@pytest.mark.parametrize("username", PASSWORDS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_password_logs_in_as_it_was_typed(
    settings: dict[str, Any], relay: MailServer, username: str, mechanism: Mechanism
) -> None:
    """Dovecot compares the bytes of a password, so that any preparing of ours would break it."""
    relay.mails.clear()
    submit(settings, username, PASSWORDS[username], mechanism)
    assert [mail.message["Subject"] for mail in relay.mails] == [username]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_another_spelling_is_another_password(
    settings: dict[str, Any], mechanism: Mechanism
) -> None:
    """A password that only looks the same is refused."""
    with pytest.raises(AuthenticationFailed, match="535"):
        submit(settings, "ordinal", "pass", mechanism)


def test_a_check_passes(settings: dict[str, Any]) -> None:
    """What a check proves of Dovecot is what the transport does."""
    credentials = Credentials(SecretStr("ordinal"), SecretStr(PASSWORDS["ordinal"]))
    report = check_smtp(
        SmtpConfig(**settings, credentials=credentials), Mailbox.parse("flows@example.org")
    )
    assert report.has_passed, report
    assert report.step("login").detail == "accepted, with PLAIN"
