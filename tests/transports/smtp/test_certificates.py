"""``ssl_verify_mode``: which certificates pass, and what the error of the others says."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import RelayConfigurationError, TlsFailed
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp import Credentials, Security

from . import odd_certificates

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
Issue = Callable[..., tuple[str, ssl.SSLContext]]
KINDS = pytest.mark.parametrize(
    ("kind", "security"), [("tls", Security.DIRECT), ("starttls", Security.STARTTLS)]
)


@KINDS
@pytest.mark.parametrize("address", ["localhost", "127.0.0.1"])
def test_a_trusted_certificate_passes(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    certificates: Certificates,
    kind: str,
    security: Security,
    address: str,
) -> None:
    """With its CA in `ca_certificate`, a certificate for the name or IP address is accepted."""
    server = start_tls(kind)
    trust = {"verify_peer": True, "ca_certificate": certificates.ca_pem}
    submit(server, address=address, security=security, **trust)
    assert [mail.encrypted for mail in server.mails] == [True]


@KINDS
def test_an_unknown_issuer_is_refused(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    kind: str,
    security: Security,
) -> None:
    """A certificate of a CA that nobody trusts is an error that names `ca_certificate`."""
    server = start_tls(kind)
    with pytest.raises(TlsFailed, match=r"issuer is not trusted.*`ca_certificate`"):
        submit(server, address="localhost", security=security, verify_peer=True)
    assert server.mails == []


@KINDS
def test_a_self_signed_certificate_is_refused(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    kind: str,
    security: Security,
    self_signed: tuple[str, ssl.SSLContext],
) -> None:
    """A self-signed certificate is an error that names `ca_certificate`."""
    server = start(security=kind, tls_context=self_signed[1])
    with pytest.raises(TlsFailed, match=r"self-signed.*`ca_certificate`"):
        submit(server, address="localhost", security=security, verify_peer=True)
    assert server.mails == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("no-ca", "Python 3.13 and later check strictly"),
        ("weak-key", "too weak to be safe (RSA below 2048 bits"),
        ("weak-dh", "Diffie-Hellman key is too weak"),
    ],
)
@KINDS
def test_a_chain_that_is_not_safe_is_named(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    kind: str,
    security: Security,
    fault: str,
    words: str,
) -> None:
    """What is wrong with it is told, and nobody is sent to put a CA where it is already."""
    pem, context = odd_certificates.ODD[fault]()
    server = start(security=kind, tls_context=context)
    trust = {"verify_peer": True, "ca_certificate": pem}
    with pytest.raises(TlsFailed) as caught:
        submit(server, address="localhost", security=security, **trust)
    assert words in str(caught.value)
    assert server.mails == []


@KINDS
def test_a_self_signed_certificate_passes_unchecked(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    kind: str,
    security: Security,
    self_signed: tuple[str, ssl.SSLContext],
) -> None:
    """Without verification, a self-signed certificate is good enough for encryption."""
    server = start(security=kind, tls_context=self_signed[1])
    submit(server, address="localhost", security=security)
    assert [mail.encrypted for mail in server.mails] == [True]


@KINDS
def test_an_expired_certificate_is_refused(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    kind: str,
    security: Security,
    issue: Issue,
) -> None:
    """An expired certificate is an error that says to renew it."""
    pem, context = issue("localhost", not_after=YESTERDAY)
    server = start(security=kind, tls_context=context)
    trust = {"verify_peer": True, "ca_certificate": pem}
    with pytest.raises(TlsFailed, match=r"expired: have it renewed"):
        submit(server, address="localhost", security=security, **trust)
    assert server.mails == []


@KINDS
@pytest.mark.parametrize(
    ("held", "address"), [("mail.example.org", "localhost"), ("192.0.2.1", "127.0.0.1")]
)
def test_a_certificate_for_another_host_is_refused(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    kind: str,
    security: Security,
    held: str,
    address: str,
    issue: Issue,
) -> None:
    """A certificate for another name or IP address is an error that names `address`."""
    pem, context = issue(held)
    server = start(security=kind, tls_context=context)
    trust = {"verify_peer": True, "ca_certificate": pem}
    with pytest.raises(TlsFailed, match=r"for another host: if .*, set \*Address\* \(`address`\)"):
        submit(server, address=address, security=security, **trust)
    assert server.mails == []


@pytest.mark.parametrize("pem", ["not a certificate", "größer", "-----BEGIN CERTIFICATE-----\n"])
def test_a_broken_ca_certificate_is_named(
    start_tls: Callable[..., MailServer], submit: Callable[..., Receipt], pem: str
) -> None:
    """Text that is no certificate is a configuration error that names the field."""
    server = start_tls("tls")
    with pytest.raises(RelayConfigurationError, match=r"^ca_certificate: .*BEGIN CERTIFICATE"):
        submit(server, security=Security.DIRECT, verify_peer=True, ca_certificate=pem)


def test_an_unchecked_password_is_warned_of_once(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    logged: Callable[[], list[str]],
) -> None:
    """One warning a process and block names `ssl_verify_mode`, and shows no secret."""
    server = start_tls("tls", users={"canary-user": "canary-password"})
    credentials = Credentials(SecretStr("canary-user"), SecretStr("canary-password"))
    for _ in range(2):
        submit(server, security=Security.DIRECT, credentials=credentials)
    (warning,) = logged()
    assert "is not checked: set *Verify certificate*" in warning
    assert "canary" not in warning


@pytest.mark.parametrize(
    "settings",
    [
        {"mechanism": "cram_md5", "security": Security.DIRECT},
        {"address": "localhost", "verify_peer": True, "security": Security.DIRECT},
    ],
    ids=["cram_md5", "verified"],
)
def test_a_guarded_password_needs_no_warning(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    certificates: Certificates,
    logged: Callable[[], list[str]],
    settings: dict[str, object],
) -> None:
    """Nothing is logged where the certificate is checked, or the password is never shown."""
    server = start_tls("tls", users={"ann": "pass"})
    credentials = Credentials(SecretStr("ann"), SecretStr("pass"))
    submit(server, credentials=credentials, ca_certificate=certificates.ca_pem, **settings)
    assert logged() == []
