"""The mail about a run shows no secret, and nothing in it becomes markup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prefect import flow, get_run_logger, task
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from pydantic import SecretStr

from prefect_smtp_relay import describe_flow_run, email_on_failure
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.mails import html_of, only_mail, text_of

Fail = Callable[..., State[Any]]

CANARY = "canary-5d1e77"


def test_secrets_are_masked_everywhere(connected: MailServer) -> None:
    """Parameters by type and by name are masked, also where the message and the log quote them."""

    @flow(on_failure=[email_on_failure("ann@example.org")])
    def secretive(password: str, login: SecretStr, options: dict[str, str]) -> None:
        get_run_logger().info("Connecting with %s", password)
        raise ValueError(f"{login.get_secret_value()} was refused; {options['api_key']}")

    secretive(
        f"{CANARY}-1", SecretStr(f"{CANARY}-2"), {"api_key": f"{CANARY}-3"}, return_state=True
    )
    mail = only_mail(connected)
    assert "********" in text_of(mail)
    assert CANARY not in text_of(mail) + html_of(mail) + mail.message["Subject"]


def test_hostile_text_becomes_no_markup(connected: MailServer) -> None:
    """Neither the state's message, nor a name, nor a parameter, nor the log brings a link in."""
    evil = "```\n\n[pay](https://evil.example)<a href='https://evil.example'>x</a>\n\n![](https://evil.example)"

    @flow(
        name="[click](https:evil.example) *now*",
        flow_run_name="<b>|evil|</b>\r\nBcc: eve@example.org",
        on_failure=[email_on_failure("ann@example.org")],
    )
    def hostile(text: str) -> None:
        get_run_logger().warning(text)
        raise ValueError(text)

    hostile(evil, return_state=True)
    mail = only_mail(connected)
    html = html_of(mail)
    links = [piece.split('"')[0] for piece in html.split('href="')[1:]]
    assert all("/runs/flow-run/" in link or "/flows/flow/" in link for link in links)
    assert "<img" not in html
    assert "<b>|" not in html
    assert mail.forward_paths == ("ann@example.org",)
    assert mail.message["Bcc"] is None


def test_a_flow_run_is_described_by_its_id() -> None:
    """`describe_flow_run` tells of any run that the API knows, for flows that mail about others."""

    @flow(name="Other")
    def other(password: str) -> None:
        get_run_logger().info("It was %s", password)
        raise ValueError("broken")

    state: State[Any] = other(CANARY, return_state=True)
    run_id = state.state_details.flow_run_id
    report = describe_flow_run(str(run_id), log_lines=50)
    assert report.subject == "Failed: flow Other"
    assert "broken" in report.body
    assert "It was ********" in report.body
    assert CANARY not in report.body
    with pytest.raises(ObjectNotFound):
        describe_flow_run("00000000-0000-0000-0000-000000000000")


def test_the_error_comes_first_and_the_traceback_is_short(connected: MailServer) -> None:
    """The exception in full, then where to look, then one traceback without Prefect's frames."""

    @task(name="load page")
    def load() -> None:
        raise ConnectionError("could not connect to db.example.org at port 5432")

    @flow(name="Nightly", on_failure=[email_on_failure("ann@example.org")], retries=1)
    def nightly(page: int) -> None:
        get_run_logger().info("page %d", page)
        load()

    nightly(7, return_state=True)
    mail = only_mail(connected)
    text = text_of(mail)
    places = [
        text.index(part)
        for part in (
            "[Failed | try 2 of 2]",
            "Nightly failed",
            "ConnectionError: could not connect to db.example.org at port 5432",
            "Open the run in Prefect",
            "Runs of Nightly",
            "Failed in",
            "task load page-",
            "Traceback, innermost last",
            "test_content.py:",
            "Last log lines (UTC)",
            "INFO    page 7",
            "ERROR   load page-",
            "Parameters",
            "page = 7",
        )
    ]
    assert places == sorted(places)
    assert "of Prefect" in text
    assert "flow_engine" not in text
    assert text.count("Traceback") == 1
    assert "ConnectionError('…')" in text, "the log does not repeat the whole error"
    assert "Flow run encountered an exception" not in text


def test_the_last_success_is_told(connected: MailServer) -> None:
    """A flow that ran well before says when."""

    @flow(name="Sometimes", on_failure=[email_on_failure("ann@example.org")])
    def sometimes(is_bad: bool) -> None:
        if is_bad:
            raise ValueError("bad")

    sometimes(is_bad=False)
    sometimes(is_bad=True, return_state=True)
    assert "Last success" in text_of(only_mail(connected))


def test_hooks_show_no_password_of_a_message(connected: MailServer) -> None:
    """What looks like a secret in the exception's text is masked wherever the mail shows it."""

    @flow(on_failure=[email_on_failure("ann@example.org")])
    def secretive() -> None:
        raise ValueError(f"db://user:{CANARY}/x@host, Authorization: Bearer {CANARY}")

    secretive(return_state=True)
    mail = only_mail(connected)
    assert "db://user:********@host" in text_of(mail)
    assert CANARY not in mail.octets.decode()
