"""A relay that is reached by another name, and one that wants to see a client certificate."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
import trustme
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import RelayConfigurationError, TlsFailed
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.smtp import Security

Start = Callable[..., MailServer]
Submit = Callable[..., Receipt]
KINDS = pytest.mark.parametrize(
    ("kind", "security"), [("tls", Security.DIRECT), ("starttls", Security.STARTTLS)]
)


class Client(NamedTuple):
    """A certificate and its key, as PEM texts."""

    certificate: str
    key: str


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The CA of the clients that the server lets in."""
    return trustme.CA()


def _issue(authority: trustme.CA) -> Client:
    issued = authority.issue_cert("flows@example.org")
    chain = "".join(pem.bytes().decode() for pem in issued.cert_chain_pems)
    return Client(chain, issued.private_key_pem.bytes().decode())


@pytest.fixture
def start_strict(
    start: Start, issue: Callable[..., tuple[str, ssl.SSLContext]], authority: trustme.CA
) -> Start:
    """Start a server that wants to see a certificate of the authority."""

    def start_strict(kind: str, newest: ssl.TLSVersion) -> MailServer:
        _, context = issue("localhost", "127.0.0.1")
        context.maximum_version = newest
        context.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(context)
        return start(security=kind, tls_context=context)

    return start_strict


@KINDS
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_certificate_is_shown(
    start_strict: Start,
    submit: Submit,
    authority: trustme.CA,
    kind: str,
    security: Security,
    newest: ssl.TLSVersion,
) -> None:
    """A relay that wants one takes the mail."""
    server, client = start_strict(kind, newest), _issue(authority)
    shown = {"client_certificate": client.certificate, "client_key": SecretStr(client.key)}
    submit(server, security=security, **shown)
    assert len(server.mails) == 1


class Bouncer:
    """Takes TLS handshakes from the first byte, and says in an alert why it does not."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    def __enter__(self) -> Bouncer:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._listening.accept()
                plain.settimeout(10)
                with plain, contextlib.suppress(ssl.SSLError):
                    self._context.wrap_socket(plain, server_side=True).close()


@pytest.fixture
def bounce(
    issue: Callable[..., tuple[str, ssl.SSLContext]], authority: trustme.CA
) -> Iterator[Callable[[ssl.TLSVersion], Bouncer]]:
    """Start a server that refuses who shows no certificate of the authority."""
    with contextlib.ExitStack() as running:

        def start(newest: ssl.TLSVersion) -> Bouncer:
            _, context = issue("localhost", "127.0.0.1")
            context.maximum_version, context.verify_mode = newest, ssl.CERT_REQUIRED
            authority.configure_trust(context)
            return running.enter_context(Bouncer(context))

        yield start


NEWEST = pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@NEWEST
def test_a_certificate_that_is_missing(
    bounce: Callable[[ssl.TLSVersion], Bouncer], submit: Submit, newest: ssl.TLSVersion
) -> None:
    """The error is permanent, and names the fields to set."""
    with pytest.raises(TlsFailed, match=r"\(`client_certificate`\).*\(`client_key`\)"):
        submit(bounce(newest), security=Security.DIRECT)


@NEWEST
def test_a_certificate_of_another_authority(
    bounce: Callable[[ssl.TLSVersion], Bouncer],
    submit: Submit,
    check: Callable[..., Report],
    newest: ssl.TLSVersion,
) -> None:
    """The error says that the relay does not accept it, in a check too."""
    server, client = bounce(newest), _issue(trustme.CA())
    shown = {"client_certificate": client.certificate, "client_key": SecretStr(client.key)}
    with pytest.raises(TlsFailed, match="does not accept the client certificate"):
        submit(server, security=Security.DIRECT, **shown)
    report = check(server, security=Security.DIRECT, **shown)
    (failed,) = [step.detail for step in report.steps if step.outcome == "failed"]
    assert "does not accept the client certificate" in failed
    assert not report.recommendation.settings
    assert client.key not in report.model_dump_json()


def test_a_key_of_another_certificate(
    start_strict: Start, submit: Submit, authority: trustme.CA
) -> None:
    """It is an error of the configuration, which shows neither of them."""
    server = start_strict("tls", ssl.TLSVersion.TLSv1_3)
    one, other = _issue(authority), _issue(authority)
    shown = {"client_certificate": one.certificate, "client_key": SecretStr(other.key)}
    with pytest.raises(RelayConfigurationError, match="client_certificate: does not go") as caught:
        submit(server, security=Security.DIRECT, **shown)
    assert "BEGIN PRIVATE" not in str(caught.value)


@KINDS
def test_a_relay_that_is_reached_by_another_name(
    start: Start,
    submit: Submit,
    issue: Callable[..., tuple[str, ssl.SSLContext]],
    kind: str,
    security: Security,
) -> None:
    """The certificate is compared with the name that is set, and that name is asked for (SNI)."""
    pem, context = issue("mail.example.org")
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    server = start(security=kind, tls_context=context)
    trust = {"verify_peer": True, "ca_certificate": pem, "security": security}
    submit(server, tls_server_name="mail.example.org", **trust)
    assert asked == ["mail.example.org"]
    with pytest.raises(TlsFailed, match=r"\(`tls_server_name`\)"):
        submit(server, tls_server_name="other.example.org", **trust)
