from __future__ import annotations

import typing

import pytest

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    EmailError,
    OutcomeUnknown,
    PermanentFailure,
    RelayConfigurationError,
    TimedOut,
    TlsFailed,
    UnknownHost,
)
from prefect_smtp_relay.transports.http.values import Kind, NoAnswer, Stage
from prefect_smtp_relay.transports.sendgrid.errors import POST, unanswered

NAME = "sendgrid://api.sendgrid.com"


@pytest.mark.parametrize(
    ("kind", "words"), [("late", "no whole answer came back in time"), ("lost", "was lost before")]
)
def test_after_the_hand_over_nothing_is_certain(kind: Kind, words: str) -> None:
    """Once the last byte went out the outcome is unknown, and the error says how it was lost."""
    error = unanswered(NoAnswer(kind, "answer"), NAME)
    assert type(error) is OutcomeUnknown
    assert words in str(error)
    assert "may have been accepted" in str(error)


@pytest.mark.parametrize(("kind", "ours"), [("late", TimedOut), ("lost", ConnectionFailed)])
@pytest.mark.parametrize("stage", typing.get_args(Stage))
def test_a_question_that_gets_no_answer_has_done_nothing(
    kind: Kind, stage: Stage, ours: type[EmailError]
) -> None:
    """Only a mail can have been accepted."""
    assert type(unanswered(NoAnswer(kind, stage), NAME, "GET /v3/scopes")) is ours


@pytest.mark.parametrize(
    ("kind", "stage", "ours"),
    [
        ("lost", "connect", ConnectionFailed),
        ("late", "connect", TimedOut),
        ("proxy", "connect", ConnectionFailed),
        ("unknown", "connect", UnknownHost),
        ("tls", "connect", TlsFailed),
        ("configuration", "connect", RelayConfigurationError),
        ("lost", "request", ConnectionFailed),
        ("late", "request", TimedOut),
        ("misused", "request", PermanentFailure),
    ],
)
def test_before_the_hand_over(kind: Kind, stage: Stage, ours: type[EmailError]) -> None:
    """Nothing was taken; what it is tells whether to try again."""
    error = unanswered(NoAnswer(kind, stage), NAME)
    assert type(error) is ours
    assert str(error).startswith(f"{NAME} ({'connect' if stage == 'connect' else POST}): ")
    assert str(error).endswith(".")
