"""Checks a SendGrid account with questions that change nothing: the key, its scopes, the sender."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    DeliveryError,
    EmailError,
    PermanentFailure,
)
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.transports.check_report import Finding, Recommendation, Report, StepLog
from prefect_smtp_relay.transports.http.exchange import MAX_BODY
from prefect_smtp_relay.transports.sendgrid.client import ask
from prefect_smtp_relay.transports.sendgrid.config import SendGridConfig
from prefect_smtp_relay.transports.sendgrid.errors import refusal

STEPS = ("key", "scope mail.send", "sandbox mode", "sender")
"""In their order."""

_SCOPES = "GET /v3/scopes"
_SENDERS = "GET /v3/verified_senders?limit=200"
_DOMAINS = "GET /v3/whitelabel/domains?domain="


def check_sendgrid(config: SendGridConfig, sender: Mailbox | None = None) -> Report:
    """Ask SendGrid whether it would take this account's mail; a failed step is not an exception.

    Without a sender, it is not looked up.
    """
    log = StepLog(STEPS)
    words: tuple[str, ...] = ()
    try:
        with log.step("key") as finding:
            scopes = _listed(_get(config, _SCOPES), "scopes")
            finding.ok("accepted")
        with log.step("scope mail.send") as finding:
            _judge_scopes(finding, scopes)
        with log.step("sandbox mode") as finding:
            if config.sandbox_mode:
                finding.warn("on: SendGrid checks each mail and delivers none")
            else:
                finding.ok("off")
        with log.step("sender") as finding:
            _judge_sender(finding, config, sender)
    except EmailError as error:
        words = _other_region(config, error)
    recommendation = Recommendation(words=words)
    return Report(transport=config.name, steps=log.finish(), recommendation=recommendation)


def _judge_scopes(finding: Finding, scopes: list[Any]) -> None:
    if "mail.send" not in scopes:
        finding.fail(
            f"missing among the key's {len(scopes)}: give the key the permission Mail Send, in"
            " SendGrid's settings under API Keys."
        )
    else:
        more = len(scopes) - 1
        finding.ok("granted" + f", with {more} more that a mail does not need" * (more > 0))


def _judge_sender(finding: Finding, config: SendGridConfig, sender: Mailbox | None) -> None:
    """A verified single sender, or an authenticated domain, will do."""
    if sender is None:
        finding.skip(
            "no sender is known: set *From address* (`from_address`), or name one to look it up"
        )
        return
    try:
        if _is_single_sender(config, sender):
            finding.ok(f"{sender.address} is a verified sender")
            return
        domain = _authenticated_domain(config, sender.domain)
    except AuthenticationFailed:
        finding.warn(
            f"not looked up: the key may not read senders. See that {sender.address} is verified"
            " in SendGrid's settings, under Sender Authentication."
        )
    except DeliveryError as error:
        finding.warn(f"not looked up: {error.detail}")
    else:
        _judge_domain(finding, sender, domain)


def _judge_domain(finding: Finding, sender: Mailbox, domain: str) -> None:
    if domain == sender.domain.lower():
        finding.ok(f"{domain} is an authenticated domain")
    elif domain:
        finding.warn(
            f"{domain} is an authenticated domain, {sender.domain} is not: a test mail shows"
            " whether SendGrid takes it."
        )
    else:
        finding.fail(
            f"{sender.address} is not a verified sender, nor {sender.domain} an authenticated"
            " domain: verify one in SendGrid's settings, under Sender Authentication, or set"
            " *From address* (`from_address`) to one that is."
        )


def _is_single_sender(config: SendGridConfig, sender: Mailbox) -> bool:
    """GET /v3/verified_senders lists ``results``, verified or not."""
    listed = _listed(_get(config, _SENDERS), "results")
    return _has(listed, "from_email", sender.address.lower(), "verified")


def _authenticated_domain(config: SendGridConfig, domain: str) -> str:
    """Return this domain, or the nearest one above it, that is authenticated; else an empty text.

    GET /v3/whitelabel/domains lists the domains, authenticated (``valid``) or not.
    """
    labels = domain.lower().split(".")
    for start in range(len(labels) - 1):
        candidate = ".".join(labels[start:])
        if _has(_get(config, _DOMAINS + quote(candidate)), "domain", candidate, "valid"):
            return candidate
    return ""


def _listed(document: Any, name: str) -> list[Any]:
    listed = document.get(name) if isinstance(document, dict) else None
    return listed if isinstance(listed, list) else []


def _has(listed: Any, name: str, value: str, flag: str) -> bool:
    """Whether a list has an object of this name, for which something is true."""
    return any(
        str(each.get(name, "")).lower() == value and each.get(flag) is True
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict)
    )


def _get(config: SendGridConfig, request: str) -> Any:
    answer = ask(config, request)
    if answer.status != 200:
        raise refusal(answer, config, request=request)
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        is_cut = len(answer.body) == MAX_BODY
        detail = (
            f"the answer is longer than the {MAX_BODY} bytes that are read of one."
            if is_cut
            else "this is not an answer of SendGrid's. Check *API URL* (`api_url`)."
        )
        raise PermanentFailure(config.name, detail, answer.status, "", request) from error


def _other_region(config: SendGridConfig, error: EmailError) -> tuple[str, ...]:
    """A key is known to the servers of its account's region only."""
    other = config.other_region_url
    if not (other and isinstance(error, AuthenticationFailed) and error.code == 401):
        return ()
    return (
        f"If the account lives in SendGrid's other region, set *API URL* (`api_url`) to {other}.",
    )
