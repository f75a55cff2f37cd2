"""After which answers of SendGrid another relay may take the mail."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.transports.http.values import NoAnswer, Stage
from prefect_smtp_relay.transports.sendgrid.answer import Answer
from prefect_smtp_relay.transports.sendgrid.config import SendGridConfig
from prefect_smtp_relay.transports.sendgrid.errors import refusal, unanswered

CONFIG = SendGridConfig(SecretStr("SG.key"))


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, True), (403, True), (408, True), (429, True), (400, False), (413, False), (503, False)],
)
def test_only_what_is_answered_before_the_mail_is_looked_at(status: int, expected: bool) -> None:
    """A refused mail stays refused, and a 5xx may hide an acceptance."""
    error = refusal(Answer(status, {}, b""), CONFIG)
    assert error.nothing_handed_over is expected


@pytest.mark.parametrize(
    ("stage", "expected"), [("connect", True), ("request", True), ("answer", False)]
)
def test_only_a_request_that_has_not_gone_out(stage: Stage, expected: bool) -> None:
    """Without a connection, or with half a request, nothing was handed over."""
    assert unanswered(NoAnswer("lost", stage), CONFIG.name).nothing_handed_over is expected
