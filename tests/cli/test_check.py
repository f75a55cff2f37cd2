"""``check`` of a server that is not connected: it needs no Prefect API."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.fixtures import PASSWORD, USERNAME
from prefect_smtp_relay.testing.mail_server import MailServer

RunCli = Callable[..., Any]
CANARY = "canary-8c22-never-shown"


@pytest.fixture
def run_check(
    run_cli: RunCli, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Check the mail server, with these words and this text on stdin."""

    def run(*words: str, stdin: str = "") -> Any:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        place = ["--address", "localhost", "--port", str(mail_server.port)]
        done = run_cli("check", *place, *words)
        assert PASSWORD not in done.out + done.err
        assert CANARY not in done.out + done.err
        return done

    return run


def test_a_server_that_fits(
    run_check: Callable[..., Any], certificates: Certificates, tmp_path: Path
) -> None:
    """Each step is a row with its time, the exit code is 0 and nothing is recommended."""
    ca = tmp_path / "ca.pem"
    ca.write_text(certificates.ca_pem)
    run = run_check(
        *(
            "--no-ssl",
            "--enable-starttls",
            "--ssl-verify-mode",
            "peer",
            "--ca-certificate",
            str(ca),
        ),
        *("--username", USERNAME, "--password-stdin", "--recipient", "ann@example.org"),
        stdin=f"{PASSWORD}\n",
    )
    assert (run.code, run.err) == (0, "")
    first, *lines = run.out.splitlines()
    assert first.startswith("smtp://localhost:")
    rows = [line for line in lines if " ms  " in line]
    assert [row.split()[0] for row in rows] == ["ok"] * 13
    assert max(map(len, lines)) <= 80
    assert "MAIL             " in run.out
    assert "ann@example.org: 250" in run.out


def test_what_does_not_fit_is_recommended(run_check: Callable[..., Any]) -> None:
    """SSL alone to a STARTTLS server: exit code 1, the confusion named, the block as Python."""
    run = run_check("--no-enable-starttls-auto")
    assert run.code == 1
    assert "  failed   TLS" in run.out
    assert "skipped  not reached: greeting, EHLO, certificate" in run.out
    assert "This is a STARTTLS server, and the block speaks only SSL" in run.out
    assert run.out.rstrip().endswith("ssl=False, enable_starttls=True)")


def test_the_report_as_json(run_check: Callable[..., Any]) -> None:
    """--json prints the whole report, with whether it passed."""
    run = run_check("--no-enable-starttls-auto", "--json")
    report = json.loads(run.out)
    assert (run.code, run.err, report["has_passed"]) == (1, "", False)
    assert report["steps"][0].keys() == {"name", "outcome", "milliseconds", "detail"}
    assert report["recommendation"]["settings"] == {"ssl": False, "enable_starttls": True}


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_wrong_password_is_not_shown(
    run_check: Callable[..., Any], option: tuple[str, ...]
) -> None:
    """The login fails with the server's words, without the password."""
    words = ("--username", USERNAME, "--password-stdin", *option)
    run = run_check(*words, stdin=f"{CANARY}\n")
    assert run.code == 1
    assert "535 5.7.8" in run.out


def test_a_missing_password_is_a_wrong_use(run_check: Callable[..., Any]) -> None:
    """Where nobody can be asked, the three ways to give it are named."""
    run = run_check("--username", USERNAME)
    assert (run.code, run.out) == (2, "")
    assert all(word in run.err for word in ("--password-stdin", "SMTP_PASSWORD", "--from-env"))


def test_the_environment_gives_what_no_option_gives(
    run_check: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Options go before variables, variables before the preset."""
    monkeypatch.setenv("SMTP_ADDRESS", "nowhere.invalid")
    monkeypatch.setenv("SMTP_USERNAME", USERNAME)
    monkeypatch.setenv("SMTP_PASSWORD", PASSWORD)
    monkeypatch.setenv("SMTP_SSL_VERIFY_MODE", "none")
    run = run_check("--from-env", "--preset", "gmail", "--no-ssl")
    assert run.code == 0
    assert "login            " in run.out
    assert "accepted, with PLAIN" in run.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--ca-certificate", "no-such-file.pem"), "--ca-certificate: no-such-file.pem: "),
        (("--timeout-seconds", "0"), "*Advanced: Timeout in seconds* (`timeout_seconds`): "),
        (("--preset", "gmial"), "Did you mean gmail?"),
        (("--sender", "nobody"), "sender: "),
        (("smtp/relay",), "not both"),
    ],
)
def test_wrong_uses(run_check: Callable[..., Any], words: tuple[str, ...], told: str) -> None:
    """One line on stderr names what to change."""
    run = run_check(*words)
    assert (run.code, run.out) == (2, "")
    assert told in run.err
    assert len(run.err.splitlines()) == 1


def test_the_sending_server_gets_no_mail(
    run_check: Callable[..., Any], mail_server: MailServer
) -> None:
    """Checking submits nothing."""
    run_check("--sender", "ann@example.org", "--recipient", "bob@example.org")
    assert mail_server.mails == []
