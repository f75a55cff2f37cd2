"""One way for one mail and for many: what a transport does to one, and how often it is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prefect_smtp_relay.delivery.deliver import deliver
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.exceptions import InternalError, OutcomeUnknown, TransientFailure
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Draft, Message, compose
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.runtime.run import Run
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.testing.memory import InMemoryTransport


class Failing(InMemoryTransport):
    """A transport that raises what a function says of a subject, and takes the rest."""

    def __init__(self, failure: Callable[[str], Exception | None]) -> None:
        super().__init__()
        self.subjects: list[str] = []
        self._failure = failure

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Take the message, or fail."""
        self.subjects.append(message.subject)
        if error := self._failure(message.subject):
            raise error
        return super().deliver(message, envelope)


def drafts(*subjects: str) -> list[Draft]:
    """Mails with these subjects."""
    return [
        compose("ann@example.org", subject=subject, text="t", html="h", from_="ops@example.org")
        for subject in subjects
    ]


@pytest.fixture(autouse=True)
def _new_process() -> Iterator[None]:
    """Forget what earlier tests remembered."""
    process_memory.reset()
    yield
    process_memory.reset()


@pytest.fixture
def settings(tmp_path: Path) -> SmtpRelaySettings:
    """An outbox of this test's own."""
    return SmtpRelaySettings(spool=str(tmp_path))


def tries(
    transport: InMemoryTransport, settings: SmtpRelaySettings, *subjects: str, retries: int = 5
) -> list[bool]:
    """Try mails as a task does; whether each try was the last one of the first mail."""
    ended = []
    for number in range(1, retries + 2):
        run = Run("run", tries=number, retries=retries)
        outcomes = deliver(drafts(*subjects), transport, run, settings)
        error = outcomes[0].error
        ended.append(error is None or error.given_up)
        if ended[-1]:
            break
    return ended


def test_what_nobody_foresaw_is_an_error_that_keeps_the_mail(settings: SmtpRelaySettings) -> None:
    """A transport that breaks its contract costs no mail, and its text shows no value."""
    transport = Failing(lambda _: ZeroDivisionError("s3cret"))
    (outcome,) = deliver(drafts("one"), transport, Run(), settings)
    assert isinstance(outcome.error, InternalError)
    assert isinstance(outcome.error.__cause__, ZeroDivisionError)
    assert "unexpected ZeroDivisionError in test_deliver.py" in str(outcome.error)
    assert "s3cret" not in str(outcome.error)
    (entry,) = open_outbox(settings).entries()
    assert entry.place == outcome.error.kept


@pytest.mark.parametrize(("setting", "count"), [("retry", 3), ("keep", 1)])
def test_how_often_an_unknown_outcome_is_tried_again_is_a_setting(
    settings: SmtpRelaySettings, setting: str, count: int
) -> None:
    """Twice at most, or never; then the entry says that the mail may have been accepted."""
    settings = settings.model_copy(update={"unknown_outcome": setting})
    transport = Failing(lambda _: OutcomeUnknown("smtp://mx", "the answer was lost"))
    assert tries(transport, settings, "one") == [False] * (count - 1) + [True]
    (entry,) = open_outbox(settings).entries()
    assert entry.may_be_accepted


def test_a_mail_of_unknown_outcome_stays_so_whatever_its_last_try_says(
    settings: SmtpRelaySettings,
) -> None:
    """A refusal on the last try does not undo that an earlier one may have been accepted."""
    errors = [TransientFailure("smtp://mx", "no", 554), OutcomeUnknown("smtp://mx", "lost")]
    tries(Failing(lambda _: errors.pop()), settings, "one", retries=1)
    (entry,) = open_outbox(settings).entries()
    assert entry.may_be_accepted


def test_one_mail_of_many_may_be_given_up_before_the_others(settings: SmtpRelaySettings) -> None:
    """What is not worth another try is not submitted again, while its neighbour is."""
    errors: dict[str, Exception] = {
        "unknown": OutcomeUnknown("smtp://mx", "the answer was lost"),
        "later": TransientFailure("smtp://mx", "try later", 451),
    }
    transport = Failing(errors.get)
    tries(transport, settings, "later", "unknown", "fine")
    assert transport.subjects.count("unknown") == 3
    assert transport.subjects.count("later") == 6
    assert transport.subjects.count("fine") == 1
