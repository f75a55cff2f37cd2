"""The classic confusions: recognised, named, and mended by the recommended settings."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import ConnectionFailed, TimedOut
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.smtp import Credentials, Security, SmtpConfig
from prefect_smtp_relay.transports.smtp.check import confusions

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

Check = Callable[..., Report]
Account = Callable[..., Credentials]
PASSWORD = "canary-password-5b1e"


def _outcomes(report: Report) -> dict[str, str]:
    return {step.name: step.outcome for step in report.steps}


def test_a_starttls_server_addressed_with_ssl_only(
    start_tls: Callable[..., MailServer], check: Check, account: Account
) -> None:
    """The TLS step fails, and the confusion is named with the settings that mend it."""
    server = start_tls()
    report = check(server, security=Security.DIRECT, credentials=account("ann", PASSWORD))
    assert _outcomes(report)["TLS"] == "failed"
    assert _outcomes(report)["greeting"] == "skipped"
    (words,) = report.recommendation.words
    assert words.startswith("This is a STARTTLS server, and the block speaks only SSL")
    assert report.recommendation.python == (
        f'SMTP(address="localhost", port={server.port}, username="...", password="...",'
        " ssl=False, enable_starttls=True)"
    )
    assert check(server, security=Security.STARTTLS).has_passed


def test_a_plain_server_addressed_with_ssl_only(
    start: Callable[..., MailServer], check: Check
) -> None:
    """Where there is no STARTTLS either, another port is advised and no setting claimed to help."""
    report = check(start(), security=Security.DIRECT)
    (words,) = report.recommendation.words
    assert "takes neither SSL nor STARTTLS" in words
    assert report.recommendation.settings == {}


@pytest.mark.parametrize("security", [Security.DIRECT_OR_STARTTLS, Security.STARTTLS])
def test_a_plain_server_that_should_have_tls(
    start: Callable[..., MailServer], check: Check, security: Security
) -> None:
    """STARTTLS is not recommended where it is not offered; the words say that there is no TLS."""
    report = check(start(), security=security)
    assert "does not offer STARTTLS" in report.step("TLS").detail
    (words,) = report.recommendation.words
    assert "takes neither SSL nor STARTTLS" in words
    assert report.recommendation.settings == {}
    assert report.recommendation.python == ""


@pytest.mark.parametrize(
    "security", [Security.STARTTLS, Security.STARTTLS_IF_OFFERED, Security.PLAIN_TEXT]
)
def test_an_smtps_server_addressed_with_starttls(
    start_tls: Callable[..., MailServer], check: Check, security: Security
) -> None:
    """A silent greeting is tried with TLS on the same port, and the confusion is named."""
    server = start_tls("tls")
    report = check(server, security=security, timeout_seconds=0.6)
    assert _outcomes(report)["greeting"] == "failed"
    (words,) = report.recommendation.words
    assert words.startswith("This is an SMTPS server")
    assert report.recommendation.settings["ssl"] is True
    assert check(server, security=Security.DIRECT).has_passed


def test_a_silent_server_is_no_smtps_server(
    play: Callable[..., ScriptedServer], check: Check
) -> None:
    """Where TLS is not answered either, the greeting times out and nothing is recommended."""
    report = check(play("SILENCE"), security=Security.STARTTLS, timeout_seconds=0.5)
    assert report.step("greeting").detail.startswith("no answer in time")
    assert not report.recommendation


def test_a_slow_greeting_is_waited_for(check: Check) -> None:
    """A server that greets only after the probe has failed is spoken to as usual."""
    with SlowGreeter() as server:
        settings = {"security": Security.STARTTLS_IF_OFFERED, "timeout_seconds": 1.0}
        report = check(server, sender=None, **settings)
    assert report.has_passed
    assert report.step("greeting").detail == "220 slow"


class SlowGreeter:
    """Greets its first client when a second one has come and been sent away."""

    def __enter__(self) -> SlowGreeter:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(10)
        self._listening.close()

    def _serve(self) -> None:
        first, _ = self._listening.accept()
        with first, first.makefile("rb") as lines:
            self._listening.accept()[0].close()
            first.sendall(b"220 slow\r\n")
            for reply in (b"250 slow\r\n", b"221 bye\r\n"):
                lines.readline()
                first.sendall(reply)


def test_a_web_server_is_no_smtp_server(play: Callable[..., ScriptedServer], check: Check) -> None:
    """What greets in another protocol is named as such."""
    report = check(play("S: HTTP/1.1 400 Bad Request"), security=Security.STARTTLS)
    assert "This is a web server, not an SMTP server: set *Port*" in report.step("greeting").detail


def test_clear_text_that_needs_not_be(start_tls: Callable[..., MailServer], check: Check) -> None:
    """Plain text to a server that offers STARTTLS is a warning with the setting that ends it."""
    report = check(start_tls(), security=Security.PLAIN_TEXT)
    assert report.has_passed
    assert report.step("TLS").outcome == "warning"
    assert report.step("certificate").outcome == "skipped"
    assert report.recommendation.settings == {"enable_starttls": True}


def test_starttls_that_is_not_offered(start: Callable[..., MailServer], check: Check) -> None:
    """Required STARTTLS that a server lacks fails; optional STARTTLS warns."""
    server = start()
    required = check(server, security=Security.STARTTLS)
    assert "does not offer STARTTLS" in required.step("TLS").detail
    optional = check(server, security=Security.STARTTLS_IF_OFFERED)
    assert optional.has_passed
    assert "mail goes in clear" in optional.step("TLS").detail


def test_the_wrong_mechanism(
    start_tls: Callable[..., MailServer], check: Check, account: Account
) -> None:
    """The mechanism that the server offers is recommended, and the session ends politely."""
    server = start_tls(users={"ann": PASSWORD}, mechanisms=["LOGIN"])
    credentials = account("ann", PASSWORD)
    report = check(server, security=Security.STARTTLS, credentials=credentials)
    assert _outcomes(report)["login"] == "failed"
    assert _outcomes(report)["QUIT"] == "ok"
    assert report.recommendation.settings == {"authentication": "login"}
    assert report.recommendation.words[0].startswith("Wrong mechanism: ")
    mended = {"credentials": credentials, "mechanism": "login"}
    assert check(server, security=Security.STARTTLS, **mended).has_passed


@pytest.mark.parametrize(
    ("mechanism", "offered", "recommended"),
    [
        ("login", "PLAIN SCRAM-SHA-256", "scram_sha_256"),
        ("cram_md5", "LOGIN PLAIN SCRAM-SHA-256 XOAUTH2", "scram_sha_256"),
        ("plain", "CRAM-MD5 LOGIN", "login"),
        ("login", "CRAM-MD5", "cram_md5"),
        ("xoauth2", "PLAIN OAUTHBEARER", "oauthbearer"),
    ],
)
def test_which_mechanism_is_recommended(
    play: Callable[..., ScriptedServer],
    check: Check,
    account: Account,
    mechanism: str,
    offered: str,
    recommended: str,
) -> None:
    """The one that shows no password comes first; a token stays a token."""
    server = play(f"S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 AUTH {offered}\nC: QUIT\nS: 221 bye")
    settings = {"security": Security.PLAIN_TEXT, "mechanism": mechanism}
    report = check(server, credentials=account("ann", PASSWORD), **settings)
    assert report.recommendation.settings == {"authentication": recommended}


@pytest.mark.parametrize("mechanism", ["scram_sha_256", "cram_md5"])
def test_no_setting_shows_a_password_to_an_impostor(
    play: Callable[..., ScriptedServer], check: Check, account: Account, mechanism: str
) -> None:
    """A server that takes only plain is told in words, unless its certificate is checked."""
    server = play("S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 AUTH PLAIN\nC: QUIT\nS: 221 bye")
    settings = {"security": Security.PLAIN_TEXT, "mechanism": mechanism}
    report = check(server, credentials=account("ann", PASSWORD), **settings)
    assert "shows the password itself to whoever answered" in report.recommendation.words[-1]
    assert report.recommendation.settings == {}


def test_authentication_that_waits_for_tls(
    start_tls: Callable[..., MailServer], check: Check, account: Account
) -> None:
    """Where AUTH is hidden until TLS is on, STARTTLS is recommended."""
    server = start_tls(users={"ann": PASSWORD})
    credentials = account("ann", PASSWORD)
    report = check(server, security=Security.PLAIN_TEXT, credentials=credentials)
    assert report.step("AUTH mechanisms").detail == "none offered"
    assert "The server offers AUTH only under TLS" in report.recommendation.words[-1]
    assert report.recommendation.settings == {"enable_starttls": True}


def test_a_server_of_tokens_only(
    play: Callable[..., ScriptedServer], check: Check, account: Account
) -> None:
    """A server that takes OAuth tokens only is named as such, with the fields to set."""
    server = play("S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 AUTH XOAUTH2\nC: QUIT\nS: 221 bye")
    report = check(server, security=Security.PLAIN_TEXT, credentials=account("ann", PASSWORD))
    assert report.recommendation.words == (
        "The server takes OAuth tokens only, and no password: set *Authentication*"
        " (`authentication`) to xoauth2, clear *Password* (`password`), and set *Advanced:"
        " OAuth token URL* (`oauth_token_url`) and the other `oauth_` fields.",
    )
    assert report.recommendation.settings == {}


REPLIES = [
    pytest.param(
        "S: 534-5.7.9 Application-specific password required. For more information, go to\n"
        "S: 534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor abc - gsmtp",
        "wants an app password",
        id="gmail-app-password",
    ),
    pytest.param(
        "S: 535-5.7.8 Username and Password not accepted. For more information, go to\n"
        "S: 535 5.7.8  https://support.google.com/mail/?p=BadCredentials abc - gsmtp",
        "Gmail takes only app passwords",
        id="gmail-bad-credentials",
    ),
    pytest.param(
        "S: 535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [X.prod]",
        "The provider takes no passwords for SMTP on this account any more (basic authentication):"
        " set *Authentication* (`authentication`) to xoauth2",
        id="microsoft-basic-retired",
    ),
    pytest.param(
        "S: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the"
        " Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [X.prod]",
        "Authenticated SMTP is switched off",
        id="microsoft-smtp-auth-off",
    ),
    pytest.param(
        "S: 535 5.7.139 Authentication unsuccessful, user is locked by your organization's"
        " security defaults policy. Contact your administrator. [X.prod]",
        "set *Authentication* (`authentication`) to xoauth2",
        id="microsoft-security-defaults",
    ),
    pytest.param(
        "S: 535 5.7.139 Authentication unsuccessful, the user credentials were incorrect. [X.prod]",
        "Check *Username* (`username`) and *Password* (`password`)",
        id="microsoft-wrong-password",
    ),
    pytest.param(
        "S: 550 5.7.30 Basic authentication is not supported for Client Submission.",
        "set *Authentication* (`authentication`) to xoauth2",
        id="microsoft-client-submission",
    ),
]


@pytest.mark.parametrize(("replies", "advice"), REPLIES)
def test_what_the_big_providers_mean(
    play: Callable[..., ScriptedServer], check: Check, account: Account, replies: str, advice: str
) -> None:
    """Their refusals of a login are told apart, and each says what to do."""
    server = play(
        "S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH PLAIN\n"
        f"{replies}\nC: QUIT\nS: 221 bye"
    )
    report = check(server, security=Security.PLAIN_TEXT, credentials=account("ann", PASSWORD))
    assert advice in report.step("login").detail
    assert report.step("MAIL").outcome == "skipped"


def test_a_port_where_nobody_listens(
    start_tls: Callable[..., MailServer], check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another port of the server that answers is recommended, with its kind of TLS."""
    other = start_tls()
    with MailServer() as gone:
        pass
    monkeypatch.setattr(
        confusions, "_SUBMISSION_PORTS", {other.port: {"ssl": False, "enable_starttls": True}}
    )
    report = check(gone)
    assert report.step("connect").outcome == "failed"
    assert report.recommendation.settings == {
        "port": other.port,
        "ssl": False,
        "enable_starttls": True,
    }
    assert f"port {other.port} does: use that" in report.recommendation.words[0]


def test_port_25_that_is_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time out on port 25 is named as a block, and 587 is advised even where it is silent."""
    monkeypatch.setattr(confusions, "_SUBMISSION_PORTS", {})
    config = SmtpConfig("mx.example.org", 25)
    blocked = confusions.no_connection(config, TimedOut(config.name, "no answer in time"))
    assert blocked is not None
    assert blocked.words.startswith("Port 25 is blocked")
    assert blocked.settings == {"port": 587, "ssl": False, "enable_starttls": True}
    closed = confusions.no_connection(config, ConnectionFailed(config.name, "refused"))
    assert closed is not None
    assert closed.words.startswith("Port 25 does not answer from here")
    elsewhere = SmtpConfig("mx.example.org", 2525)
    assert confusions.no_connection(elsewhere, TimedOut(elsewhere.name)) is None
