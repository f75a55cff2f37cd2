"""What a check says of certificates, checked or not."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.smtp import Security
from prefect_smtp_relay.transports.smtp.check.certificate import Certificate

from . import odd_certificates

Check = Callable[..., Report]
Issue = Callable[..., tuple[str, ssl.SSLContext]]
NOW = datetime.now(UTC)


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
        advice = "self-signed: put it in *Advanced: CA certificate* (`ca_certificate`)"
        assert advice in report.step("TLS").detail
        assert report.step("certificate").detail.startswith("for localhost; self-signed; valid")
        (words,) = report.recommendation.words
        assert words.startswith("The certificate is self-signed: paste the PEM of")
        assert report.recommendation.settings == {}

    def test_one_that_peer_does_not_trust(
        self, start_tls: Callable[..., MailServer], check: Check, kind: str, security: Security
    ) -> None:
        """With `peer` the CA is named, whose PEM goes into `ca_certificate`; the name is right."""
        report = check(start_tls(kind), security=security, verify_peer=True)
        (words,) = report.recommendation.words
        assert words.startswith("The certificate's issuer (trustme")
        assert (
            "paste the PEM of that CA into *Advanced: CA certificate* (`ca_certificate`)" in words
        )
        assert report.recommendation.settings == {}

    def test_one_of_an_unknown_issuer_for_another_host(
        self,
        start: Callable[..., MailServer],
        check: Check,
        issue: Issue,
        kind: str,
        security: Security,
    ) -> None:
        """Both are told at once; a name that no trusted CA vouches for is not made a setting."""
        _, context = issue("*.example.org", "mail.example.org")
        server = start(security=kind, tls_context=context)
        report = check(server, security=security, verify_peer=True)
        issuer, name = report.recommendation.words
        assert "is not trusted here" in issuer
        assert name.startswith("The certificate is for mail.example.org, not for localhost")
        assert report.recommendation.settings == {}

    def test_one_that_holds_a_wildcard_only(
        self,
        start: Callable[..., MailServer],
        check: Check,
        issue: Issue,
        kind: str,
        security: Security,
    ) -> None:
        """A wildcard is named in words, and is no address."""
        pem, context = issue("*.example.org")
        server = start(security=kind, tls_context=context)
        report = check(server, security=security, verify_peer=True, ca_certificate=pem)
        (words,) = report.recommendation.words
        assert words.startswith("The certificate is for *.example.org, not for localhost")
        assert report.recommendation.settings == {}

    def test_one_for_another_host(
        self,
        start: Callable[..., MailServer],
        check: Check,
        issue: Issue,
        kind: str,
        security: Security,
    ) -> None:
        """Its name is told in words: as a setting, it would send the password to an impostor."""
        pem, context = issue("*.example.org", "mail.example.org")
        server = start(security=kind, tls_context=context)
        report = check(server, security=security, verify_peer=True, ca_certificate=pem)
        assert "for another host" in report.step("TLS").detail
        assert "mail.example.org" in report.step("certificate").detail
        (words,) = report.recommendation.words
        assert words.startswith("The certificate is for mail.example.org, not for localhost")
        assert report.recommendation.settings == {}
        assert report.recommendation.python == ""

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


ODD_NAMES = [
    pytest.param(bytes.fromhex("3004a3023000"), id="x400"),
    pytest.param(bytes.fromhex("300587030a0000"), id="ip-of-three-bytes"),
    pytest.param(bytes.fromhex("30028600"), id="empty-uri"),
]


@pytest.mark.parametrize("names", ODD_NAMES)
def test_a_certificate_with_odd_names(
    start: Callable[..., MailServer], check: Check, names: bytes
) -> None:
    """It is a step of the check like any other."""
    server = start(security="tls", tls_context=odd_certificates.name_oddly(names))
    report = check(server, security=Security.DIRECT)
    assert report.has_passed
    assert report.step("certificate").detail.startswith("for no host name that can be read; ")
    assert "would not pass" in report.step("certificate").detail
    checked = check(server, security=Security.DIRECT, verify_peer=True)
    assert checked.step("certificate").outcome == "failed"


@pytest.mark.parametrize(
    ("name", "address", "expected"),
    [
        ("mail.example.org", "MAIL.example.org", True),
        ("mail.example.org", "example.org", False),
        ("*.example.org", "mail.example.org", True),
        ("*.example.org", "a.mail.example.org", False),
        ("*.example.org", "example.org", False),
        ("::1", "0:0:0:0:0:0:0:1", True),
        ("127.0.0.1", "127.0.0.2", False),
    ],
)
def test_the_hosts_that_a_certificate_is_for(name: str, address: str, expected: bool) -> None:
    """Case does not count, a wildcard stands for one label, IP addresses compare by value."""
    certificate = Certificate((name,), issuer="CA", expires=NOW, is_self_signed=False)
    assert certificate.is_for(address) is expected
