"""Hooks mail what became of flow runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from prefect import flow, get_run_logger
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run as current_flow_run
from prefect.states import Crashed

from prefect_smtp_relay import (
    SMTP,
    email_on_cancellation,
    email_on_completion,
    email_on_crash,
    email_on_failure,
    send_an_email,
)
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.mails import html_of, only_mail, text_of

Fail = Callable[..., State[Any]]


def test_a_failed_flow_is_told(connected: MailServer, fail_with: Fail) -> None:
    """The mail says what failed, how, with which parameters, what was logged, and where."""
    state = fail_with("no such page", email_on_failure("ann@example.org"), page=7)
    mail = only_mail(connected)
    assert state.name == "Failed"
    assert mail.forward_paths == ("ann@example.org",)
    assert mail.message["Subject"] == "Failed: flow Nightly import"
    text = text_of(mail)
    for shown in ("no such page", '"page": 7', "Reading page 7", "ValueError", ", ran ", " UTC"):
        assert shown in text
    assert "/runs/flow-run/" in text
    assert "Running hook" not in text


def test_all_fields_reach_the_mail(connected: MailServer, fail_with: Fail) -> None:
    """Cc, Bcc, sender, subject and relay are those of the hook."""
    hook = email_on_failure(
        "ann@example.org",
        cc="Bob <bob@example.org>",
        bcc="eve@example.org",
        from_="Prefect <prefect@example.org>",
        relay="smtp/main",
        subject="[prod] $name: $state $kind $unknown",
        log_lines=0,
    )
    fail_with("bad", hook)
    mail = only_mail(connected)
    assert mail.forward_paths == ("ann@example.org", "bob@example.org", "eve@example.org")
    assert mail.message["From"] == "Prefect <prefect@example.org>"
    assert mail.message["Subject"] == "[prod] Nightly import: Failed flow $unknown"
    assert b"eve@" not in mail.octets
    assert "Reading page" not in text_of(mail)


def test_only_the_newest_log_lines_are_shown(connected: MailServer) -> None:
    """With ``log_lines=2`` the last two entries before the failure stand in the mail, in order."""

    @flow(on_failure=[email_on_failure("ann@example.org", log_lines=2)])
    def counting() -> None:
        for number in range(5):
            get_run_logger().info("entry %d", number)
        raise ValueError

    counting(return_state=True)
    text = text_of(only_mail(connected))
    assert "entry 3" not in text
    assert text.index("entry 4") < text.index("Encountered exception")


def test_an_async_flow_is_told_off_its_event_loop(
    connected: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mail of an async flow is submitted in a worker thread."""
    threads: list[str] = []
    real = SMTP.get_transport

    def noting(block: SMTP) -> Any:
        threads.append(threading.current_thread().name)
        return real(block)

    monkeypatch.setattr(SMTP, "get_transport", noting)

    @flow(on_failure=[email_on_failure("ann@example.org")])
    async def failing() -> None:
        get_run_logger().info("in the async flow")
        raise ValueError("async bad")

    asyncio.run(failing(return_state=True))  # type: ignore[arg-type] # a coroutine in an async flow
    text = text_of(only_mail(connected))
    assert "async bad" in text
    assert "in the async flow" in text
    assert threading.current_thread().name not in threads


def test_a_sync_flow_within_an_event_loop_is_told(connected: MailServer, fail_with: Fail) -> None:
    """A sync flow that async code calls mails too."""

    async def call() -> State[Any]:
        return fail_with("bad", email_on_failure("ann@example.org"))

    assert asyncio.run(call()).is_failed()
    assert "bad" in text_of(only_mail(connected))


class _Interruption(BaseException):
    """What crashes a run."""


def test_a_crashed_flow_is_told(connected: MailServer) -> None:
    """What ends a flow from outside, such as an interruption, is mailed by ``on_crashed``."""

    @flow(name="Interrupted", on_crashed=[email_on_crash("ann@example.org")])
    def interrupted() -> None:
        raise _Interruption("pulled the plug")

    with pytest.raises(_Interruption):
        interrupted()
    mail = only_mail(connected)
    assert mail.message["Subject"] == "Crashed: flow Interrupted"
    assert "pulled the plug" in text_of(mail)


def test_a_crashed_async_flow_is_told(connected: MailServer) -> None:
    """A cancelled asyncio task crashes its flow; its mail is submitted all the same."""

    @flow(name="Cancelled", on_crashed=[email_on_crash("ann@example.org")])
    async def waiting() -> None:
        await asyncio.sleep(60)

    async def cancel() -> None:
        running = asyncio.create_task(waiting())
        await asyncio.sleep(2)
        running.cancel()
        await running

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel())
    assert only_mail(connected).message["Subject"] == "Crashed: flow Cancelled"


def test_the_runner_calls_by_name_without_a_run_context(
    connected: MailServer, client: SyncPrefectClient
) -> None:
    """Prefect's runner calls hooks of a dead process by keyword: the API tells log and times."""

    @flow(name="Killed")
    def killed() -> str:
        get_run_logger().info("last words")
        return str(current_flow_run.id)

    run = client.read_flow_run(killed())  # type: ignore[arg-type] # its text is taken as well
    stripped = run.model_copy(update={"start_time": None})
    email_on_crash("ann@example.org")(flow=killed, flow_run=stripped, state=Crashed(message="9"))
    text = text_of(only_mail(connected))
    assert "last words" in text
    assert ", ran " in text


def test_each_hook_has_the_name_that_prefect_logs() -> None:
    """The run's log says which hook ran."""
    made = [email_on_failure, email_on_crash, email_on_cancellation, email_on_completion]
    names = ["email_on_failure", "email_on_crash", "email_on_cancellation", "email_on_completion"]
    assert [factory.__name__ for factory in made] == names
    assert [factory("ann@example.org").__name__ for factory in made] == names


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"to": "nobody"}, "to"),
        ({"to": []}, "to"),
        ({"cc": "nobody"}, "cc"),
        ({"bcc": ["ann@example.org", "a b"]}, "bcc"),
        ({"from_": "ops"}, "from_"),
        ({"from_": "Ops <ops@>"}, "from_"),
        ({"reply_to": "ops"}, "reply_to"),
        ({"relay": "mx"}, "relay"),
        ({"relay": 7}, "relay"),
        ({"relay": SMTP}, "relay"),
        ({"subject": 7}, "subject"),
        ({"subject": "a\nb"}, "subject"),
        ({"log_lines": -1}, "log_lines"),
        ({"log_lines": 201}, "log_lines"),
        ({"log_lines": "20"}, "log_lines"),
        ({"thread": "a\nb"}, "thread"),
        ({"importance": "urgent"}, "importance"),
        ({"tone": "bad"}, "tone"),
        ({"html": "<b>x</b>"}, "html"),
    ],
)
@pytest.mark.parametrize(
    "make", [email_on_failure, email_on_crash, email_on_cancellation, email_on_completion]
)
def test_a_wrong_argument_fails_where_the_hook_is_made(
    make: Callable[..., object], arguments: dict[str, Any], field: str
) -> None:
    """A typo shows when the flow is loaded, not when it fails."""
    with pytest.raises(EmailError, match=field):
        make(**{"to": "ann@example.org", **arguments})


def test_thread_importance_reply_to_and_tone_are_those_of_the_hook(
    connected: MailServer, fail_with: Fail
) -> None:
    """They reach the mail as with `send_an_email`."""
    hook = email_on_failure(
        "ann@example.org",
        thread="INC-7",
        importance="high",
        reply_to="desk@example.org",
        tone="warning",
    )
    fail_with("bad", hook)
    send_an_email.fn("ann@example.org", "INC-7", "Told by hand.", thread="INC-7")
    by_hook, by_hand = connected.mails
    assert by_hook.message["Importance"] == "high"
    assert by_hook.message["Reply-To"] == "desk@example.org"
    assert by_hook.message["References"] == by_hand.message["References"]
    assert 'class="bar bar-warning"' in html_of(by_hook)
    assert 'class="badge badge-warning"' in html_of(by_hook)


def test_the_mails_about_a_flow_are_one_thread(connected: MailServer, fail_with: Fail) -> None:
    """Without ``thread``, each flow has a thread of its own."""
    fail_with("bad", email_on_failure("ann@example.org"))
    fail_with("worse", email_on_failure("ann@example.org"))

    @flow(name="Another", on_failure=[email_on_failure("ann@example.org")])
    def another() -> None:
        raise ValueError("other")

    another(return_state=True)
    first, second, third = (mail.message["References"] for mail in connected.mails)
    assert first == second != third
