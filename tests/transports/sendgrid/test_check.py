"""Checking a SendGrid account: key, scope, mode and sender."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.sendgrid import SendGridConfig, config
from prefect_smtp_relay.transports.sendgrid.check import STEPS, check_sendgrid

from .api_server import Answer, ApiServer, reply, stall, then_close

SENDER = Mailbox.parse("Ops <Ops@example.com>")
Check = Callable[..., Report]


def _json(document: Any, status: int = 200) -> Answer:
    return reply(status, json.dumps(document))


KEY = _json({"scopes": ["mail.send"]})
NO_SENDERS = _json({"results": []})
FORBIDDEN = _json({"errors": [{"message": "access forbidden"}]}, 403)


@pytest.fixture
def check(api: ApiServer, canary: str) -> Check:
    """Check the account of the canary key, with these answers of SendGrid."""

    def run(*answers: Answer, sender: Mailbox | None = SENDER, **settings: Any) -> Report:
        api.answers[:] = answers
        settings = {"api_url": api.url, "timeout_seconds": 5.0, **settings}
        report = check_sendgrid(SendGridConfig(SecretStr(canary), **settings), sender)
        assert canary not in report.model_dump_json() + repr(report)
        assert api.answers == []
        return report

    return run


def test_a_good_account_passes(check: Check, api: ApiServer, canary: str) -> None:
    """Questions only, with the key; every step is ok and nothing is recommended."""
    senders = {"results": [{"from_email": "ops@EXAMPLE.com", "verified": True}]}
    report = check(KEY, _json(senders))
    assert [(step.name, step.outcome) for step in report.steps] == [(s, "ok") for s in STEPS]
    assert report.has_passed
    assert not report.recommendation
    assert [(r.method, r.path) for r in api.requests] == [
        ("GET", "/v3/scopes"),
        ("GET", "/v3/verified_senders?limit=200"),
    ]
    assert all(r.headers["authorization"] == f"Bearer {canary}" for r in api.requests)


def test_an_authenticated_domain_will_do(check: Check, api: ApiServer) -> None:
    """A sender that is not verified itself passes by its domain."""
    unverified = {"results": [{"from_email": "ops@example.com", "verified": False}]}
    report = check(KEY, _json(unverified), _json([{"domain": "example.com", "valid": True}]))
    assert report.step("sender").detail == "example.com is an authenticated domain"
    assert api.requests[-1].path == "/v3/whitelabel/domains?domain=example.com"


def test_the_domain_above_is_only_a_hint(check: Check) -> None:
    """Where the parent alone is authenticated, that is a warning."""
    sender = Mailbox.parse("ops@mail.example.com")
    parent = _json([{"domain": "example.com", "valid": True}])
    report = check(KEY, NO_SENDERS, _json([]), parent, sender=sender)
    step = report.step("sender")
    assert (step.outcome, report.has_passed) == ("warning", True)
    assert step.detail.startswith("example.com is an authenticated domain, mail.example.com is not")


@pytest.mark.parametrize("domains", [[], [{"domain": "example.com", "valid": False}], {}, [1]])
def test_a_sender_that_is_not_verified(check: Check, domains: Any) -> None:
    """A sender in neither list fails, with where to verify it."""
    report = check(KEY, NO_SENDERS, _json(domains))
    assert report.step("sender").outcome == "failed"
    assert "Ops@example.com is not a verified sender" in report.step("sender").detail
    assert "Sender Authentication" in report.step("sender").detail


def test_a_key_that_may_not_read_senders(check: Check) -> None:
    """A missing permission to look it up is a warning: mail still goes."""
    report = check(KEY, FORBIDDEN)
    assert (report.has_passed, report.step("sender").outcome) == (True, "warning")
    assert "the key may not read senders" in report.step("sender").detail


def test_a_fault_in_the_look_up_is_a_warning(check: Check) -> None:
    """SendGrid's own trouble says nothing of the sender."""
    report = check(KEY, reply(503))
    assert (report.has_passed, report.step("sender").outcome) == (True, "warning")
    assert "503 Service Unavailable" in report.step("sender").detail


def test_a_list_that_is_too_long_is_a_warning(check: Check) -> None:
    """An account with very many senders is not told that its `api_url` is wrong."""
    crowd = [{"from_email": f"u{n}@example.com", "address": "x" * 400} for n in range(200)]
    report = check(KEY, _json({"results": crowd}))
    assert (report.has_passed, report.step("sender").outcome) == (True, "warning")
    assert "not looked up: the answer is longer than" in report.step("sender").detail


def test_no_sender_is_not_looked_up(check: Check) -> None:
    """Without a sender that step is skipped."""
    assert check(KEY, sender=None).step("sender").outcome == "skipped"


def test_a_key_that_is_not_accepted(check: Check, canary: str) -> None:
    """The first step fails in SendGrid's words, without the key, and nothing else is asked."""
    answer = _json({"errors": [{"message": f"invalid key {canary}"}]}, 401)
    report = check(answer)
    assert report.step("key").outcome == "failed"
    assert "invalid key ***" in report.step("key").detail
    assert report.step("sender").detail == "not reached"


def test_the_shape_of_a_key_that_is_not_accepted(api: ApiServer) -> None:
    """What does not begin as SendGrid's keys do may be its id: the refusal says so."""
    api.answers = [reply(401), KEY]
    config = SendGridConfig(SecretStr("id-of-the-key"), api_url=api.url)
    refused, accepted = check_sendgrid(config), check_sendgrid(config)
    assert "The key does not begin with SG. as SendGrid's keys do" in refused.step("key").detail
    assert (accepted.step("key").outcome, accepted.step("key").detail) == ("ok", "accepted")


def test_the_other_region_is_named(
    check: Check, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that one region does not know may belong to the other."""
    monkeypatch.setitem(config._OTHER_REGION, api.url, "https://api.eu.sendgrid.com")
    report = check(reply(401))
    (words,) = report.recommendation.words
    assert words.endswith("set *API URL* (`api_url`) to https://api.eu.sendgrid.com.")
    assert not check(reply(403)).recommendation


@pytest.mark.parametrize("scopes", [{"scopes": ["stats.read"]}, {"scopes": "mail.send"}, []])
def test_a_key_without_mail_send(check: Check, scopes: Any) -> None:
    """The scope step fails and names the permission."""
    report = check(_json(scopes), NO_SENDERS, _json([]))
    assert report.step("scope mail.send").outcome == "failed"
    assert "Mail Send" in report.step("scope mail.send").detail


def test_a_key_that_can_do_more(check: Check) -> None:
    """Scopes beyond mail.send are counted: one is enough."""
    report = check(_json({"scopes": ["alerts.read", "mail.send"]}), sender=None)
    assert report.step("scope mail.send").detail == "granted, with 1 more that a mail does not need"


def test_the_sandbox_is_a_warning(check: Check) -> None:
    """In sandbox mode nothing is delivered, and the report says so."""
    report = check(KEY, sender=None, sandbox_mode=True)
    assert (report.has_passed, report.step("sandbox mode").outcome) == (True, "warning")


FAULTS = [
    pytest.param(reply(200, "<html>"), {}, "Check *API URL* (`api_url`)", id="a web page"),
    pytest.param(reply(429, retry_after="7"), {}, "wait 7 seconds", id="too many"),
    pytest.param(stall, {"timeout_seconds": 0.3}, "no whole answer in time", id="silence"),
    pytest.param(then_close(lambda _: None), {}, "was lost", id="hung up"),
]


@pytest.mark.parametrize(("answer", "settings", "words"), FAULTS)
def test_faults(check: Check, answer: Answer, settings: dict[str, Any], words: str) -> None:
    """Whatever goes wrong is a failed step that says what to change."""
    report = check(answer, **settings)
    assert report.step("key").outcome == "failed"
    assert words in report.step("key").detail


def test_nobody_listens(check: Check) -> None:
    """Without a connection the first step fails."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    report = check(api_url=f"http://127.0.0.1:{port}")
    assert "no connection" in report.step("key").detail
