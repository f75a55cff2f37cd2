"""A flow that runs again after failures is told once."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from prefect import flow, task
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import SecretStr

from prefect_smtp_relay import email_on_failure, email_on_recovery
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.mails import html_of, text_of

Run = Callable[[bool], State[Any]]

pytestmark = pytest.mark.usefixtures("result_storage")

_PASSWORD = "s3cret-7c1f"


@pytest.fixture
def run() -> Run:
    """Run a flow of its own for each test, well or not."""

    @flow(
        name=f"Nightly {uuid4()}",
        on_failure=[email_on_failure("ann@example.org")],
        on_completion=[email_on_recovery("ann@example.org")],
    )
    def nightly(is_bad: bool) -> None:
        if is_bad:
            raise ConnectionError(f"db://user:{_PASSWORD}@host is down")

    def run(is_bad: bool) -> State[Any]:
        state: Any = nightly(is_bad, return_state=True)
        assert isinstance(state, State)
        return state

    return run


def _subjects(server: MailServer) -> list[str]:
    return [mail.message["Subject"].partition(":")[0] for mail in server.mails]


def test_the_first_success_after_failures_is_told_once(connected: MailServer, run: Run) -> None:
    """Neither a success after a success is told, nor the very first one."""
    for is_bad in (False, True, True, False, False, True, False):
        run(is_bad)
    told = ["Failed", "Failed", "Recovered", "Failed", "Recovered"]
    assert _subjects(connected) == told
    assert len({mail.message["References"] for mail in connected.mails}) == 1


def test_a_recovery_says_what_had_failed_and_for_how_long(connected: MailServer, run: Run) -> None:
    """The mail is good news: since when it had failed, how often, and why; without passwords."""
    for is_bad in (True, True, False):
        run(is_bad)
    mail = connected.mails[-1]
    text = " ".join(text_of(mail).split())
    assert text.startswith("[Recovered] Nightly")
    assert "It had failed for " in text
    assert ": 2 runs since " in text
    assert "ConnectionError: db://user:********@host is down" in text
    assert _PASSWORD not in mail.octets.decode()
    assert html_of(mail).count("/runs/flow-run/") >= 2


def test_a_run_that_is_started_again_recovers(
    connected: MailServer, client: SyncPrefectClient, run: Run
) -> None:
    """A failed run that somebody starts again, and that completes then, has recovered too."""
    failed = run(True)
    run_id = failed.state_details.flow_run_id
    assert run_id is not None
    again = client.read_flow_run(run_id)
    again.run_count = 2
    end: State[Any] = Completed()
    end.timestamp = failed.timestamp + timedelta(seconds=1)

    @flow(name="Nightly")
    def nightly() -> None:
        pass

    for _ in range(2):
        email_on_recovery("ann@example.org")(nightly, again, end)
    assert _subjects(connected) == ["Failed", "Recovered"]


def test_two_runs_that_complete_at_once_are_one_recovery(
    connected: MailServer, client: SyncPrefectClient, run: Run
) -> None:
    """Each finds the failure before it and not the other run: the mail's key decides."""
    failed, fine = run(True), run(False)
    run_id = fine.state_details.flow_run_id
    assert run_id is not None
    this = client.read_flow_run(run_id)
    other = this.model_copy(update={"id": uuid4()})
    at_once: State[Any] = Completed()
    at_once.timestamp = failed.timestamp + timedelta(microseconds=1)

    @flow(name="Nightly")
    def nightly() -> None:
        pass

    hook = email_on_recovery("bob@example.org")
    with ThreadPoolExecutor(2) as pool:
        for each in (this, other):
            pool.submit(contextvars.copy_context().run, hook, nightly, each, at_once)
    to_bob = [mail for mail in connected.mails if mail.forward_paths == ("bob@example.org",)]
    assert len(to_bob) == 1


def test_every_hook_of_a_flow_tells_its_own_recipients(connected: MailServer) -> None:
    """Two hooks with other recipients are two mails."""

    @flow(
        name="Two",
        on_completion=[email_on_recovery("ann@example.org"), email_on_recovery("bob@example.org")],
    )
    def two(is_bad: bool) -> None:
        if is_bad:
            raise ValueError

    two(is_bad=True, return_state=True)
    two(is_bad=False)
    assert [mail.forward_paths for mail in connected.mails] == [
        ("ann@example.org",),
        ("bob@example.org",),
    ]


def test_a_silent_api_makes_no_recovery(
    connected: MailServer, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """Where nobody knows what was before, there is nothing to tell; the run stays completed."""
    run(True)

    def silent(*_: object, **__: object) -> None:
        raise OSError("down")

    monkeypatch.setattr(SyncPrefectClient, "read_flow_runs", silent)
    assert run(False).is_completed()
    assert _subjects(connected) == ["Failed"]


def test_a_task_does_not_recover(connected: MailServer, caplog: pytest.LogCaptureFixture) -> None:
    """At a task the hook says in the log where it belongs."""

    @task(on_completion=[email_on_recovery("ann@example.org")])
    def step() -> None:
        pass

    @flow
    def around() -> None:
        step()

    around()
    assert "Attach the hook to a flow." in caplog.text
    assert connected.mails == []


def test_a_secret_that_made_the_runs_before_fail_is_masked(connected: MailServer) -> None:
    """The run at hand knows what the Prefect API does not tell of the runs before."""
    is_bad = True

    @flow(name=f"Log in {uuid4()}", on_completion=[email_on_recovery("ann@example.org")])
    def log_in(account: SecretStr) -> None:
        if is_bad:
            raise ConnectionError(f"{account.get_secret_value()} is not accepted")

    log_in(SecretStr(_PASSWORD), return_state=True)
    is_bad = False
    log_in(SecretStr(_PASSWORD))
    (mail,) = connected.mails
    assert "ConnectionError: ******** is not accepted" in text_of(mail)
    assert _PASSWORD not in html_of(mail)
