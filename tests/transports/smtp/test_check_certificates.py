"""What a check says of certificates, checked or not."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.report import Report
from prefect_smtp_relay.transports.smtp import Security

if TYPE_CHECKING:
    pass

Check = Callable[..., Report]
Issue = Callable[..., tuple[str, ssl.SSLContext]]
NOW = datetime.now(timezone.utc)


@pytest.mark.parametrize(
    ("kind", "security"),
    [("tls", Security.DIRECT), ("starttls", Security.STARTTLS)],
)
class TestCertificates:
    """What is said of certificates, over both kinds of TLS."""

    def test_one_that_would_pass(
        self,
        start_tls: Callable[..., MailServer],
        check: Check,
        certificates: Certificates,
        kind: str,
        security: Security,
    ) -> None:
        """Unchecked so far: a second, verified handshake shows that `peer` may be set."""
        report = check(start_tls(kind), security=security, ca_certificate=certificates.ca_pem)
        assert report.step("certificate").outcome == "ok"
        assert report.recommendation.settings == {"ssl_verify_mode": "peer"}
        assert 'ssl_verify_mode="peer", ca_certificate="..."' in report.recommendation.python

    def test_one_of_an_unknown_issuer(
        self, start_tls: Callable[..., MailServer], check: Check, kind: str, security: Security
    ) -> None:
        """Unchecked, it is a warning that `peer` would not pass, and why; mail still goes."""
        report = check(start_tls(kind), security=security)
        step = report.step("certificate")
        assert (report.has_passed, step.outcome) == (True, "warning")
        assert "peer would not pass" in step.detail
        assert "issuer is not trusted" in step.detail

    def test_a_self_signed_one(
        self,
        start: Callable[..., MailServer],
        check: Check,
        self_signed: tuple[str, ssl.SSLContext],
        kind: str,
        security: Security,
    ) -> None:
        """With `peer` the TLS step fails, and the certificate is shown all the same."""
        report = check(
            start(security=kind, tls_context=self_signed[1]), security=security, verify_peer=True
        )
        assert "self-signed: put it in `ca_certificate`" in report.step("TLS").detail
        assert report.step("certificate").detail.startswith("for localhost; self-signed; valid")

    def test_one_for_another_host(
        self,
        start: Callable[..., MailServer],
        check: Check,
        issue: Issue,
        kind: str,
        security: Security,
    ) -> None:
        """The name that the certificate holds is recommended as the address."""
        pem, context = issue("*.example.org", "mail.example.org")
        server = start(security=kind, tls_context=context)
        report = check(server, security=security, verify_peer=True, ca_certificate=pem)
        assert "for another host" in report.step("TLS").detail
        assert "mail.example.org" in report.step("certificate").detail
        assert report.recommendation.settings == {"address": "mail.example.org"}

    def test_an_expired_one(
        self,
        start: Callable[..., MailServer],
        check: Check,
        issue: Issue,
        kind: str,
        security: Security,
    ) -> None:
        """It fails with `peer`, and warns without, naming the day."""
        pem, context = issue("localhost", not_after=NOW - timedelta(days=3))
        server = start(security=kind, tls_context=context)
        checked = check(server, security=security, verify_peer=True, ca_certificate=pem)
        assert "expired: have it renewed" in checked.step("TLS").detail
        unchecked = check(server, security=security, ca_certificate=pem)
        day = f"expired on {NOW - timedelta(days=3):%Y-%m-%d}"
        assert day in unchecked.step("certificate").detail
        assert (unchecked.has_passed, unchecked.step("certificate").outcome) == (True, "warning")

    def test_one_that_expires_soon(
        self,
        start: Callable[..., MailServer],
        check: Check,
        issue: Issue,
        kind: str,
        security: Security,
    ) -> None:
        """Ten days before its end a good certificate is a warning."""
        pem, context = issue("localhost", not_after=NOW + timedelta(days=10, hours=1))
        server = start(security=kind, tls_context=context)
        step = check(server, security=security, verify_peer=True, ca_certificate=pem).step(
            "certificate"
        )
        assert step.outcome == "warning"
        assert step.detail.endswith("(10 days). It expires soon: have it renewed.")
