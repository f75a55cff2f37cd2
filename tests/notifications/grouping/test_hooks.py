"""Failures of one kind are one mail at once, and one summary."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.flow_engine import run_flow
from prefect.settings import PREFECT_UI_URL, temporary_settings
from pydantic import SecretStr

from prefect_smtp_relay import email_on_failure, email_on_recovery
from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.notifications.grouping import variables
from prefect_smtp_relay.notifications.grouping.kind import PREFIX
from prefect_smtp_relay.notifications.grouping.sending import send_waiting
from prefect_smtp_relay.testing.mail_server import MailServer, ReceivedMail

pytestmark = pytest.mark.usefixtures("deployed", "connected")

Fail = Callable[..., None]
Runs = Callable[[], list[FlowRun]]


def later(minutes: int = 16) -> datetime:
    """A moment after the end of the interval."""
    return datetime.now(UTC) + timedelta(minutes=minutes)


def text_of(mail: ReceivedMail) -> str:
    """The text part of a mail, in one line."""
    part = mail.message.get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())


def test_a_flood_is_two_mails(connected: MailServer, fail: Fail) -> None:
    """The first failure is mailed, the others are counted, and one mail in its thread tells."""
    with temporary_settings({PREFECT_UI_URL: "http://127.0.0.1:4200"}):
        for page in range(4):
            fail(f"page {page} is gone")
        assert len(connected.mails) == 1
        assert send_waiting(now=later(14)) == []
        (sent,) = send_waiting(now=later())
    assert sent.count == 3
    first, summary = connected.mails
    assert summary.message["Subject"] == first.message["Subject"] == "Failed: flow Nightly import"
    assert summary.message["References"] == first.message["References"]
    assert summary.message["Message-ID"] != first.message["Message-ID"]
    text = text_of(summary)
    assert "[3 more failed]" in text
    assert "Nightly import failed 3 more times" in text
    assert "ValueError: page 0 is gone" in text
    assert text.count("/runs/flow-run/") >= 3
    assert "/runs?state=Crashed&state=Failed&state=TimedOut&start=" in text


def test_the_mails_of_a_deployment_are_of_one_list(
    client: SyncPrefectClient, connected: MailServer
) -> None:
    """Filters find the summary where they find the first mail."""

    @flow(name="Load", on_failure=[email_on_failure("ann@example.org", group_within="15m")])
    def load() -> None:
        raise ValueError("gone")

    deployment = client.create_deployment(flow_id=client.create_flow(load), name="prod")
    for _ in range(2):
        run = client.create_flow_run_from_deployment(deployment)
        run_flow(load, flow_run=run, return_type="state")
    assert len(send_waiting(now=later())) == 1
    first, summary = connected.mails
    assert first.message["List-Id"] == "<prod.load.prefect.localhost>"
    for name in ("List-Id", "X-Prefect-Flow", "X-Prefect-Deployment", "X-Prefect-State"):
        assert summary.message[name] == first.message[name]


def test_a_summary_masks_the_secrets_of_its_runs(connected: MailServer) -> None:
    """What the mail of the first one masks is in no Variable and in no later mail."""
    hook = email_on_failure("ann@example.org", group_within="15m", log_lines=0)

    @flow(name="Log in", on_failure=[hook])
    def log_in(account: SecretStr) -> None:
        raise ValueError(f"{account.get_secret_value()} is not accepted")

    for _ in range(2):
        log_in(SecretStr("hunter2-x7q"), return_state=True)
    kept = [str(variable.value) for variable in variables.read_all(PREFIX)]
    assert len(send_waiting(now=later())) == 1
    shown = [*kept, *map(text_of, connected.mails)]
    assert len(connected.mails) == 2
    assert all("******** is not accepted" in text for text in shown)
    assert "hunter2" not in str(shown)


def test_a_first_mail_that_nobody_takes_stays_counted(
    connected: MailServer, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is neither accepted nor in the outbox, so a summary tells of its failure."""
    with monkeypatch.context() as staging:
        staging.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_ALLOWED_RECIPIENTS", "example.net")
        fail("gone")
    assert connected.mails == []
    assert [sent.count for sent in send_waiting(now=later())] == [1]
    assert "Nightly import failed 1 time" in text_of(connected.mails[0])


def test_other_causes_and_other_recipients_come_through(connected: MailServer, fail: Fail) -> None:
    """What has not been told to somebody is mailed at once."""
    for _ in range(2):
        fail("gone")
        fail("refused")
        fail("gone", "bob@example.org")
    assert len(connected.mails) == 3
    assert sorted(sent.count for sent in send_waiting(now=later())) == [1, 1, 1]
    assert sorted(mail.forward_paths[0][:3] for mail in connected.mails[3:]) == [
        "ann",
        "ann",
        "bob",
    ]


def test_the_recipients_of_a_hook_are_kept_encrypted(connected: MailServer, fail: Fail) -> None:
    """Variables are shown to everybody, and have no address; the summary reaches all the same."""
    for _ in range(2):
        fail("gone", cc="cec@example.org", bcc="bob@example.org", reply_to="help@example.org")
    shown = " ".join(str(each.value) for each in variables.read_all(PREFIX))
    assert "example.org" not in shown
    send_waiting(now=later())
    assert sorted(connected.mails[1].forward_paths) == [
        "ann@example.org",
        "bob@example.org",
        "cec@example.org",
    ]
    assert connected.mails[1].message["Reply-To"] == "help@example.org"


@pytest.mark.parametrize("within", ["15", "a while", "15 minutes"])
def test_a_wrong_duration_is_refused(within: str) -> None:
    """The error names the argument and the fix, when the hook is made."""
    with pytest.raises(MessageError, match=r"group_within: .* is not a duration. Write 90s, 15m"):
        email_on_failure("ann@example.org", group_within=within)


def test_the_setting_is_for_all(
    connected: MailServer, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hooks without the argument do as the setting says, and 0 is none."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_GROUP_WITHIN", "15m")
    for _ in range(2):
        fail("gone", group_within=None)
    assert len(connected.mails) == 1
    fail("gone", group_within="0")
    assert len(connected.mails) == 2


def test_the_logs_of_a_run_say_that_it_was_counted(
    fail: Fail, caplog: pytest.LogCaptureFixture
) -> None:
    """Who looks for the mail of a run finds why there is none."""
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            fail("gone")
    assert "Counted, and not mailed" in caplog.text


def test_a_recovery_tells_what_was_counted_and_ends_it(connected: MailServer) -> None:
    """The first run that completes again sends the summary, and the next failure is a first one."""
    is_broken = True

    @flow(
        name="Sometimes",
        on_failure=[email_on_failure("ann@example.org", group_within="15m", log_lines=0)],
        on_completion=[email_on_recovery("ann@example.org")],
    )
    def sometimes() -> None:
        if is_broken:
            raise ValueError("gone")

    for _ in range(3):
        sometimes(return_state=True)
    is_broken = False
    sometimes(return_state=True)
    is_broken = True
    sometimes(return_state=True)
    subjects = [mail.message["Subject"] for mail in connected.mails]
    failed, recovered = "Failed: flow Sometimes", "Recovered: flow Sometimes"
    assert subjects == [failed, recovered, failed, failed]
    assert "failed 2 more times" in text_of(connected.mails[2])
