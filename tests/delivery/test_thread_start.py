"""One mail of a thread has the Message-ID that the others answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from prefect_smtp_relay.delivery.deliver import deliver
from prefect_smtp_relay.exceptions import TransientFailure
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.runtime.run import Run
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.spool import Spool
from prefect_smtp_relay.testing.memory import InMemoryTransport


@pytest.fixture
def settings(tmp_path: Path) -> SmtpRelaySettings:
    """A spool of this test's own."""
    return SmtpRelaySettings(spool=str(tmp_path / "spool"))


def submit(
    settings: SmtpRelaySettings,
    run: str,
    *,
    starts: bool = True,
    sender: str = "ops@example.org",
    failure: TransientFailure | None = None,
) -> Message:
    """Submit a mail of a thread, on the first try of a run."""
    transport = InMemoryTransport(failure=failure)
    draft = compose(
        "ann@example.org", "s", text="t", html="h", from_=sender, thread="INC", starts_thread=starts
    )
    (outcome,) = deliver([draft], transport, Run(run, retries=1), settings)
    if failure and outcome.error:
        transport.failure = None
        deliver([draft], transport, Run(run, tries=2, retries=1), settings)
        assert outcome.error.message_id == transport.deliveries[0].message.message_id
    return transport.deliveries[0].message


def answers(message: Message) -> str | None:
    """The Message-ID that a mail answers."""
    return dict(message.headers).get("References")


def test_later_mails_answer_the_first_one(settings: SmtpRelaySettings) -> None:
    """It answers nothing itself, on whichever try it goes."""
    busy = TransientFailure("smtp://mx", "try later", 451)
    first, later = submit(settings, "a", failure=busy), submit(settings, "b", starts=False)
    assert answers(first) is None
    assert answers(later) == first.message_id


@pytest.mark.parametrize("run", ["b", ""])
def test_a_second_start_is_another_mail(settings: SmtpRelaySettings, run: str) -> None:
    """In whichever process: two mails of one Message-ID would show as one."""
    first = submit(settings, "a")
    process_memory.reset()
    second = submit(settings, run)
    assert second.message_id != first.message_id
    assert answers(second) == first.message_id


def test_another_process_tries_the_same_mail(settings: SmtpRelaySettings) -> None:
    """A run whose process was killed goes on with its Message-ID."""
    first = submit(settings, "a")
    process_memory.reset()
    assert submit(settings, "a").message_id == first.message_id


def test_a_start_that_never_went_is_answered_all_the_same(settings: SmtpRelaySettings) -> None:
    """Nobody needs to have the first mail."""
    later = [submit(settings, run, starts=False) for run in "ab"]
    assert answers(later[0]) == answers(later[1]) is not None


def test_without_a_spool_the_mail_starts_nothing(
    settings: SmtpRelaySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes out, and answers the start, which nobody may have."""

    def broken(*_: object, **__: object) -> bool:
        raise TransientFailure("spool", "down", stage="store")

    monkeypatch.setattr(Spool, "create", broken)
    assert answers(submit(settings, "a")) is not None
