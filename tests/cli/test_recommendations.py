"""What a check recommends, and what ``connect`` takes over of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.cli import connect, prompts
from prefect_smtp_relay.transports.check_report import Recommendation, Report, Step

FAILED = (Step(name="certificate", outcome="failed", detail="for another host"),)


@pytest.fixture
def check_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], tuple[SMTP, int]]:
    """Check a block that gets this recommendation from a person who says yes to everything."""

    def run(settings: dict[str, Any]) -> tuple[SMTP, int]:
        asked: list[str] = []

        def yes(question: str) -> bool:
            asked.append(question)
            return True

        wanted = Recommendation(settings=settings, words=("Do so.",), python="SMTP()")
        reports = iter([Report(transport="smtp://mx", steps=FAILED, recommendation=wanted)])
        fine = Report(transport="smtp://mx", steps=(), recommendation=Recommendation())
        monkeypatch.setattr(SMTP, "check", lambda _: next(reports, fine))
        monkeypatch.setattr(connect, "is_interactive", lambda: True)
        monkeypatch.setattr(connect, "ask_yes", yes)
        fields = {"address": "mx.example.org", "ssl_verify_mode": "peer"}
        return connect._checked(SMTP(**fields), fields)[0], len(asked)

    return run


@pytest.mark.parametrize(
    "settings",
    [
        {"address": "mx.evil.example"},
        {"tls_server_name": "mx.evil.example"},
        {"ssl_verify_mode": "none"},
        {"ca_certificate": "..."},
        {"allow_cleartext_auth": True},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_nothing_that_decides_who_gets_the_credentials_is_taken_over(
    check_with: Callable[..., tuple[SMTP, int]], settings: dict[str, Any]
) -> None:
    """Not even by somebody who says yes: only a person names a host, and whom to trust."""
    block, asked = check_with(settings)
    assert (block.address, block.ssl_verify_mode, asked) == ("mx.example.org", "peer", 0)
    assert not block.allow_cleartext_auth


def test_the_rest_is_taken_over(check_with: Callable[..., tuple[SMTP, int]]) -> None:
    """What does not send the credentials elsewhere is offered once."""
    block, asked = check_with({"ssl": False, "enable_starttls": True, "address": "mx.evil.example"})
    assert (block.enable_starttls, block.address, asked) == (True, "mx.example.org", 1)


@pytest.mark.parametrize(("typed", "answer"), [("\n", False), ("n\n", False), ("y\n", True)])
def test_one_enter_is_a_no(monkeypatch: pytest.MonkeyPatch, typed: str, answer: bool) -> None:
    """Whoever confirms without reading changes nothing."""
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert prompts.ask_yes("Use the recommended settings") is answer
