"""What SendGrid's answers, and answers that do not come, mean as `EmailError`."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    DeliveryError,
    EmailError,
    OutcomeUnknown,
    PermanentFailure,
    TransientFailure,
)
from prefect_smtp_relay.transports.http.errors import translate
from prefect_smtp_relay.transports.http.values import NoAnswer
from prefect_smtp_relay.transports.sendgrid.answer import Answer
from prefect_smtp_relay.transports.sendgrid.config import (
    EU_URL,
    GLOBAL_URL,
    SendGridConfig,
    key_hint,
)
from prefect_smtp_relay.transports.sendgrid.limits import MAX_BYTES

POST = "POST /v3/mail/send"

_TAKES_NOTHING = frozenset({401, 403, 408, 429})
"""What is answered before a mail is looked at. A 5xx may come from anybody on the way, and may hide
an acceptance."""

_URL_FIELD = "*API URL* (`api_url`) of the SendGrid block"
_UNKNOWN = {
    "lost": "the mail was submitted, and the connection was lost before the answer came: it may"
    " have been accepted. Look for it in SendGrid's activity feed before sending it by hand; check"
    " the network, and a proxy that HTTPS_PROXY may name, if this happens often.",
    "late": "the mail was submitted, and no whole answer came back in time: it may have been"
    " accepted. Look for it in SendGrid's activity feed before sending it by hand; raise"
    " *Advanced: Timeout in seconds* (`timeout_seconds`) of the SendGrid block if this happens"
    " often.",
}


def unanswered(failure: NoAnswer, transport: str, request: str = POST) -> EmailError:
    """Turn an answer that did not come into an error; only a mail can have been accepted."""
    if failure.stage == "answer" and request == POST:
        return OutcomeUnknown(transport, _UNKNOWN[failure.kind], stage=POST)
    stage = "connect" if failure.stage == "connect" else request
    error = translate(failure, transport, peer="SendGrid", url_field=_URL_FIELD, stage=stage)
    return error.copy(nothing_handed_over=True)


def refusal(
    answer: Answer, config: SendGridConfig, *, size: int = 0, request: str = POST
) -> DeliveryError:
    """Turn an answer that accepts nothing into an error, with SendGrid's reason and its wait."""
    wait = answer.seconds_to_wait(datetime.now(UTC))
    kind, advice = _judge(answer, size, wait)
    if answer.status == 401:
        advice = f"{advice} {key_hint(config.api_key)}".strip()
    reason = answer.explain()
    said = f"{answer.status_line}: {reason.rstrip('.')}." if reason else f"{answer.status_line}."
    return kind(
        config.name,
        f"{said} {advice}",
        answer.status,
        stage=request,
        retry_after=None if wait is None else float(wait),
        nothing_handed_over=answer.status in _TAKES_NOTHING,
    )


def _judge(answer: Answer, size: int, wait: int | None) -> tuple[type[DeliveryError], str]:
    status = answer.status
    if status in _ADVICE:
        return _ADVICE[status]
    if status == 413:
        return PermanentFailure, (
            f"The request has {size} bytes; SendGrid takes 30 MB ({MAX_BYTES} bytes). Attach"
            " less, or link to the files."
        )
    if status == 429:
        named = "a while" if wait is None else f"{wait} seconds"
        return TransientFailure, (
            f"Too many requests: wait {named} before the next, and spread the mails over more time."
        )
    if status >= 500:
        return TransientFailure, "The trouble is SendGrid's; try again later (status.sendgrid.com)."
    if status >= 400:
        return PermanentFailure, "Change what the reason names."
    return PermanentFailure, (
        "This is not an answer of SendGrid's to a mail, and redirects are not followed. Check"
        f" {_URL_FIELD}."
    )


_ADVICE: dict[int, tuple[type[DeliveryError], str]] = {
    401: (
        AuthenticationFailed,
        "The API key is not accepted. Set *API key* (`api_key`) of the SendGrid block to a key that"
        f" exists; one of an EU account is known to {EU_URL} only (`api_url`). Where the reason"
        " speaks of credits, raise the account's plan.",
    ),
    403: (
        AuthenticationFailed,
        "Give the API key the scope mail.send, and set *From address* (`from_address`) of the"
        " SendGrid block to a sender that is verified in the account.",
    ),
    404: (PermanentFailure, f"Check {_URL_FIELD}."),
    # RFC 9110, section 15.5.9: the request did not arrive, and may be repeated.
    408: (TransientFailure, "The mail did not arrive there in time; try again later."),
    451: (
        PermanentFailure,
        f"The account's data may not be handled in this region. Set {_URL_FIELD} to"
        f" {EU_URL}, or to {GLOBAL_URL} for accounts that are not in the EU.",
    ),
}
