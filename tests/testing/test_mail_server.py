"""The real mail server that users test against, spoken to by the standard library."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from prefect_smtp_relay.testing.certificates import Certificates, issue_certificates
from prefect_smtp_relay.testing.mail_server import MailServer

MAIL = "From: a@example.org\r\nSubject: Größe\r\n\r\nBody\r\n".encode()
ADDRESSES = ("a@example.org", ["b@example.org"])


@pytest.fixture
def start(certificates: Certificates) -> Iterator[Callable[..., MailServer]]:
    """Start a server that has a certificate."""
    with ExitStack() as running:
        yield lambda **arguments: running.enter_context(
            MailServer(tls_context=certificates.server_context, **arguments)
        )


def _client(server: MailServer, kind: type[smtplib.SMTP] = smtplib.SMTP) -> smtplib.SMTP:
    return kind(server.host, server.port, local_hostname="client.test", timeout=5)


def test_it_keeps_what_it_accepts(start: Callable[..., MailServer]) -> None:
    """A mail is kept with its envelope, its octets, and how it came."""
    server = start()
    with _client(server) as client:
        client.sendmail(*ADDRESSES, MAIL, mail_options=["BODY=8BITMIME"])
    (mail,) = server.mails
    assert (mail.reverse_path, mail.forward_paths) == ("a@example.org", ("b@example.org",))
    assert (mail.octets, mail.message["From"]) == (MAIL, "a@example.org")
    assert (mail.helo, mail.encrypted, mail.mechanism) == ("client.test", False, "")
    assert "BODY=8BITMIME" in mail.mail_options
    assert server.connections == 1


def test_tls_from_the_first_byte(start: Callable[..., MailServer]) -> None:
    """A server of the kind ``tls`` takes a handshake, and marks its mail as encrypted."""
    server = start(security="tls")
    with smtplib.SMTP_SSL(
        server.host, server.port, context=_unchecked(), local_hostname="client.test", timeout=5
    ) as client:
        client.sendmail(*ADDRESSES, MAIL)
    assert [mail.encrypted for mail in server.mails] == [True]


def test_starttls(start: Callable[..., MailServer], certificates: Certificates) -> None:
    """A server of the kind ``starttls`` offers it, with a certificate that its CA vouches for."""
    server = start(security="starttls")
    context = ssl.create_default_context(cadata=certificates.ca_pem)
    with _client(server) as client:
        client.starttls(context=context)
        client.sendmail(*ADDRESSES, MAIL)
    assert [mail.encrypted for mail in server.mails] == [True]


def test_a_login(start: Callable[..., MailServer]) -> None:
    """A known user gets in by each mechanism; the mail says which and who."""
    server = start(users={"ann": "pass"})
    for mechanism in ("plain", "login", "cram_md5"):
        with _client(server) as client:
            client.ehlo()
            client.user, client.password = "ann", "pass"
            client.auth(mechanism.replace("_", "-"), getattr(client, f"auth_{mechanism}"))
            client.sendmail(*ADDRESSES, MAIL)
    assert [mail.mechanism for mail in server.mails] == ["PLAIN", "LOGIN", "CRAM-MD5"]
    assert {mail.username for mail in server.mails} == {"ann"}


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("account", [("ann", "wrong"), ("nobody", "pass"), ("nobody", "")])
def test_a_wrong_login(
    start: Callable[..., MailServer], mechanism: str, account: tuple[str, str]
) -> None:
    """A wrong password gets 535 5.7.8, and so does a name that nobody has, with any password."""
    server = start(users={"ann": "pass"}, mechanisms=[mechanism])
    with _client(server) as client, pytest.raises(smtplib.SMTPAuthenticationError) as caught:
        client.login(*account)
    assert str(caught.value).startswith("(535, b'5.7.8 ")


def test_what_is_offered(start: Callable[..., MailServer]) -> None:
    """AUTH needs users, and TLS where STARTTLS is offered; hidden keywords are not announced."""
    server = start(security="starttls", users={"ann": "pass"}, hidden_extensions=["8BITMIME"])
    with _client(server) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        assert not client.has_extn("auth")
        assert not client.has_extn("8bitmime")
        client.starttls(context=_unchecked())
        client.ehlo()
        assert client.has_extn("auth")
    with _client(start(security="starttls", users={"a": "b"}, auth_in_cleartext=True)) as client:
        client.ehlo()
        assert client.has_extn("auth")
    with _client(start()) as client:
        client.ehlo()
        assert not client.has_extn("auth")


def test_what_is_refused(start: Callable[..., MailServer]) -> None:
    """Addresses and the message are refused with the line that the test wrote."""
    server = start(refused={"b@example.org": "550 5.1.1 nobody"})
    with _client(server) as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            client.sendmail(*ADDRESSES, MAIL)
        assert caught.value.recipients == {"b@example.org": (550, b"5.1.1 nobody")}
        server.refused = {"DATA": "554 5.7.1 spam"}
        with pytest.raises(smtplib.SMTPDataError, match=r"5\.7\.1 spam"):
            client.sendmail(*ADDRESSES, MAIL)
    assert server.mails == []


def test_a_size_limit(start: Callable[..., MailServer]) -> None:
    """The limit is announced, and what is larger is refused."""
    server = start(size_limit=1000)
    with _client(server) as client:
        client.ehlo()
        assert client.esmtp_features["size"] == "1000"
        with pytest.raises(smtplib.SMTPResponseException):
            client.sendmail(*ADDRESSES, MAIL + b"x" * 2000)
    assert server.mails == []


def test_a_port_that_is_taken(start: Callable[..., MailServer]) -> None:
    """Two servers cannot have one port: the second says so, at once."""
    with pytest.raises(OSError, match="in use"):
        start(port=start().port)


def test_it_ends() -> None:
    """Behind the ``with`` nobody listens any more, and the same port can be used again."""
    with MailServer() as server:
        client = _client(server)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port), timeout=5)
    client.close()
    with server:
        _client(server).close()


def test_a_certificate_for_other_names() -> None:
    """The names that are asked for replace localhost."""
    issued = issue_certificates("mail.example.org")
    assert "BEGIN CERTIFICATE" in issued.ca_pem
    with MailServer("tls", issued.server_context) as server:
        context = ssl.create_default_context(cadata=issued.ca_pem)
        with socket.create_connection((server.host, server.port), timeout=5) as sock:
            context.wrap_socket(sock, server_hostname="mail.example.org").close()


def _unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
