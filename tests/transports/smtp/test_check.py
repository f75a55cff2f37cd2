"""Checking a relay step by step: what each step says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.smtp import Credentials, Security
from prefect_smtp_relay.transports.smtp.check import STEPS

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

Check = Callable[..., Report]
Account = Callable[..., Credentials]
PASSWORD = "canary-password-5b1e"
SENDER = Mailbox.parse("flows@example.org")


def _outcomes(report: Report) -> dict[str, str]:
    return {step.name: step.outcome for step in report.steps}


def test_a_good_relay_passes_every_step(
    start_tls: Callable[..., MailServer], check: Check, certificates: Certificates, account: Account
) -> None:
    """Every step is ok, each with what it found, and nothing is recommended or submitted."""
    server = start_tls(users={"ann": PASSWORD})
    report = check(
        server,
        security=Security.STARTTLS,
        verify_peer=True,
        ca_certificate=certificates.ca_pem,
        credentials=account("ann", PASSWORD),
    )
    assert report.has_passed
    assert _outcomes(report) == dict.fromkeys(STEPS, "ok")
    assert [step.name for step in report.steps] == list(STEPS)
    details = {step.name: step.detail for step in report.steps}
    assert "127.0.0.1" in details["DNS"]
    assert details["connect"].endswith(f" port {server.port}")
    assert details["greeting"].startswith("220 mail.test")
    assert "8BITMIME, SMTPUTF8" in details["EHLO"]
    assert details["TLS"].startswith("STARTTLS: TLSv1.3, TLS_")
    assert details["certificate"].startswith("for localhost, 127.0.0.1; issued by trustme")
    assert details["certificate"].endswith("; passes *Verify certificate* (`ssl_verify_mode`) peer")
    assert details["SIZE"] == "up to 33,554,432 bytes"
    assert details["PIPELINING"] == "not offered"
    assert details["AUTH mechanisms"] == "CRAM-MD5, LOGIN, PLAIN"
    assert details["login"] == "accepted, with PLAIN"
    assert details["MAIL"].startswith("flows@example.org: 250")
    assert details["RCPT"].startswith("flows@example.org: 250")
    assert details["QUIT"].startswith("221")
    assert not report.recommendation
    assert server.mails == []


def test_a_report_survives_json(start: Callable[..., MailServer], check: Check) -> None:
    """A report is a plain value: JSON and back is the same, with a time for each step."""
    report = check(start(), security=Security.PLAIN_TEXT)
    document = json.loads(report.model_dump_json())
    assert Report.model_validate(document) == report
    assert all(step["milliseconds"] >= 0 for step in document["steps"])


def test_the_default_settings_pass_on_a_starttls_port(
    start_tls: Callable[..., MailServer], check: Check
) -> None:
    """What the defaults find out is recommended, as fields and as Python."""
    server = start_tls()
    report = check(server)
    assert report.has_passed
    assert _outcomes(report)["direct TLS"] == "skipped"
    assert report.recommendation.settings == {"ssl": False, "enable_starttls": True}
    assert report.recommendation.python == (
        f'SMTP(address="localhost", port={server.port}, ssl=False, enable_starttls=True)'
    )


def test_after_a_failure_only_what_may_help_is_recommended(
    start_tls: Callable[..., MailServer], check: Check, account: Account
) -> None:
    """STARTTLS in place of SSL would be better, but does not make the password right."""
    server = start_tls(users={"ann": PASSWORD})
    assert check(server, credentials=account("ann", PASSWORD)).recommendation
    refused = check(server, credentials=account("ann", "mistyped"))
    assert _outcomes(refused)["login"] == "failed"
    assert not refused.recommendation


def test_a_password_that_the_server_repeats_is_masked(
    play: Callable[..., ScriptedServer], check: Check, account: Account
) -> None:
    """The report shows asterisks in its place."""
    server = play(
        "S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH PLAIN\n"
        f"S: 535 5.7.8 no such password: {PASSWORD}\nC: QUIT\nS: 221 bye"
    )
    report = check(server, security=Security.PLAIN_TEXT, credentials=account("ann", PASSWORD))
    assert "no such password: ***" in report.step("login").detail


def test_a_sender_that_is_refused(start: Callable[..., MailServer], check: Check) -> None:
    """A refused recipient that was named is a failure; the sender itself, tried unasked, is not."""
    server = start(refused={"flows@example.org": "550 5.1.1 nobody here"})
    unasked = check(server, security=Security.PLAIN_TEXT)
    assert (unasked.has_passed, unasked.step("RCPT").outcome) == (True, "warning")
    asked = check(server, security=Security.PLAIN_TEXT, recipient=SENDER)
    assert (asked.has_passed, asked.step("RCPT").outcome) == (False, "failed")
    assert "550 5.1.1 nobody here" in asked.step("RCPT").detail
    assert asked.step("QUIT").outcome == "ok"


def test_a_sender_that_nobody_named(start: Callable[..., MailServer], check: Check) -> None:
    """Without a sender, MAIL is skipped and the check passes."""
    report = check(start(), security=Security.PLAIN_TEXT, sender=None)
    assert report.has_passed
    assert report.step("MAIL").detail == "no sender is known: name one to try it"


def test_an_address_that_needs_smtputf8(start: Callable[..., MailServer], check: Check) -> None:
    """It is tried with SMTPUTF8, and fails where the server lacks that."""
    sender = Mailbox.parse("jürgen@example.org")
    assert check(start(), security=Security.PLAIN_TEXT, sender=sender).has_passed
    server = start(hidden_extensions=["SMTPUTF8"])
    report = check(server, security=Security.PLAIN_TEXT, sender=sender)
    assert "does not offer SMTPUTF8" in report.step("MAIL").detail
    assert report.step("QUIT").outcome == "ok"


def test_a_connection_that_is_lost_ends_the_check(
    play: Callable[..., ScriptedServer], check: Check
) -> None:
    """Nothing is said to a server that is gone."""
    server = play("S: 220 mx\nC: EHLO\nS: 250 mx\nC: MAIL")
    report = check(server, security=Security.PLAIN_TEXT)
    assert "closed the connection" in report.step("MAIL").detail
    assert report.step("QUIT").detail == "not reached"


def test_a_server_that_hangs_up_on_quit(play: Callable[..., ScriptedServer], check: Check) -> None:
    """That is a warning, for nothing is lost."""
    report = check(play("S: 220 mx\nC: EHLO\nS: 250 mx\nC: QUIT"), sender=None,
                   security=Security.PLAIN_TEXT)  # fmt: skip
    assert (report.has_passed, report.step("QUIT").outcome) == (True, "warning")


def test_a_name_that_dns_does_not_know(check: Check, start: Callable[..., MailServer]) -> None:
    """The first step fails and names the field."""
    report = check(start(), address="no-such-host.invalid")
    assert report.step("DNS").outcome == "failed"
    assert "`address`" in report.step("DNS").detail
    assert report.step("connect").detail == "not reached"
