"""A new connection to the same relay resumes the TLS session of the one before (RFC 8446, 2.2)."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import TlsFailed
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.base import logger
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.smtp import Security
from prefect_smtp_relay.transports.smtp.connect.pool import Pool
from prefect_smtp_relay.transports.smtp.connect.tls import TlsClients

KINDS = [("starttls", Security.STARTTLS), ("tls", Security.DIRECT)]


@pytest.fixture
def negotiated(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[str]]:
    """Return what the debug log says of each new connection."""
    monkeypatch.setattr(logger, "filters", [])
    caplog.set_level(logging.DEBUG, "prefect_smtp_relay")
    return lambda: [r.getMessage() for r in caplog.records if r.levelno == logging.DEBUG]


def submit_anew(submit: Callable[..., Receipt], server: MailServer, **settings: Any) -> None:
    """Submit over a new connection."""
    process_memory.of(Pool).close()
    submit(server, address="localhost", **settings)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("kind", "security"), KINDS, ids=["starttls", "direct"])
def test_the_second_connection_resumes(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    negotiated: Callable[[], list[str]],
    certificates: Certificates,
    kind: str,
    security: Security,
    version: ssl.TLSVersion,
) -> None:
    """The log names version, cipher, whether the certificate was checked, and the resumption."""
    context = certificates.server_context
    context.maximum_version = version
    server = start_tls(kind, tls_context=context)
    for _ in range(2):
        submit_anew(submit, server, security=security)
    context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
    first, second = negotiated()
    words = f"smtp://localhost:{server.port}: TLSv1.{version - 0x301}, "
    assert first.startswith(words)
    assert first.endswith(", certificate not checked")
    assert second == f"{first}, resumed"


def test_what_was_not_checked_is_not_resumed_as_checked(
    start_tls: Callable[..., MailServer], submit: Callable[..., Receipt]
) -> None:
    """`peer` checks the certificate itself, whatever `none` has seen of the same server."""
    server = start_tls("starttls")
    submit_anew(submit, server, security=Security.STARTTLS)
    with pytest.raises(TlsFailed, match="certificate"):
        submit_anew(submit, server, security=Security.STARTTLS, verify_peer=True)


def test_a_checked_session_is_resumed(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    negotiated: Callable[[], list[str]],
    certificates: Certificates,
) -> None:
    """The certificate was checked when the session began."""
    server = start_tls("starttls")
    trusting = {"verify_peer": True, "ca_certificate": certificates.ca_pem}
    for _ in range(2):
        submit_anew(submit, server, security=Security.STARTTLS, **trusting)
    assert negotiated()[1].endswith("certificate checked, resumed")


def test_a_check_looks_at_the_certificate_again(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    check: Callable[..., Report],
) -> None:
    """A resumed session shows no certificate: a check has a handshake of its own."""
    server = start_tls("starttls")
    submit_anew(submit, server, security=Security.STARTTLS)
    steps = {step.name: step for step in check(server, security=Security.STARTTLS).steps}
    assert "certificate not checked" in steps["TLS"].detail
    assert "resumed" not in steps["TLS"].detail
    assert "localhost" in steps["certificate"].detail


def test_a_session_is_resumed_for_an_hour_at_most(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    negotiated: Callable[[], list[str]],
) -> None:
    """A certificate is checked in whole handshakes only, so that one follows in time."""
    server = start_tls("starttls")
    submit_anew(submit, server, security=Security.STARTTLS)
    now = time.monotonic()
    process_memory.of(TlsClients).clock = lambda: now + 3601
    submit_anew(submit, server, security=Security.STARTTLS)
    assert [line.endswith("resumed") for line in negotiated()] == [False, False]
