"""The workflow action for many mails as plain functions; `tasks` makes Prefect tasks of them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from prefect_smtp_relay.action import send_an_email
from prefect_smtp_relay.compose.draft import compose_draft
from prefect_smtp_relay.delivery.batch import Batch
from prefect_smtp_relay.delivery.handover import telling_failures
from prefect_smtp_relay.delivery.routing import RelayInput
from prefect_smtp_relay.exceptions import MessageError, nearest
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.runtime.run import Try, in_worker_thread
from prefect_smtp_relay.settings import SmtpRelaySettings, current_settings

_MOST_CONNECTIONS = 10
_PARAMETERS = inspect.signature(send_an_email).parameters
_ARGUMENTS = [name for name in _PARAMETERS if name not in {"relay", "artifact"}]
_REQUIRED = [name for name in _ARGUMENTS if _PARAMETERS[name].default is inspect.Parameter.empty]


def send_emails(
    mails: Sequence[Mapping[str, Any]], *, relay: RelayInput = None, connections: int = 2
) -> list[Receipt]:
    """Send many emails in one task, over a few connections that are kept.

    Every mail is checked before the first is submitted. A retry submits only what was not
    accepted yet.

    Args:
        mails: each the arguments of `send_an_email` by their names, but for ``relay`` and
            ``artifact``.
        relay: as in `send_an_email`, for all of them.
        connections: how many at once, 1 to 10; many servers permit only a few.

    Returns:
        The receipts, in the order of the mails.

    Raises:
        MessageError: one of them, or `connections`, is wrong; the text names its place.
        MailsNotAccepted: with the receipts and the errors, after the last retry.
    """
    current = Try.of(send_emails, asend_emails)
    with telling_failures(last_try=current.is_last):
        _check(mails, connections)
        settings = current_settings()
        drafts = [_compose(settings, number, mail) for number, mail in enumerate(mails)]
    return Batch(drafts, settings, current).deliver(relay, connections)


asend_emails = in_worker_thread(send_emails, "asend_emails")


def _check(mails: Sequence[Mapping[str, Any]], connections: int) -> None:
    if not isinstance(mails, Sequence) or isinstance(mails, (str, bytes)):
        raise MessageError("mails: expected a list of mappings; write mails=[{'to': ...}, ...].")
    if not isinstance(connections, int) or not 1 <= connections <= _MOST_CONNECTIONS:
        raise MessageError(
            f"connections: expected a whole number from 1 to {_MOST_CONNECTIONS}, got"
            f" {connections!r}."
        )


def _compose(settings: SmtpRelaySettings, number: int, mail: Mapping[str, Any]) -> Draft:
    place = f"mails[{number}]"
    if not isinstance(mail, Mapping):
        raise MessageError(f"{place}: expected a mapping of arguments, got {type(mail).__name__}.")
    for name in mail:
        if name not in _ARGUMENTS:
            raise MessageError(f"{place}: there is no argument {name!r}; {_hint(name)}")
    for name in _REQUIRED:
        if name not in mail:
            raise MessageError(f"{place}: {name} is missing; give it.")
    try:
        return compose_draft(settings, **mail)
    except MessageError as error:
        raise type(error)(f"{place}: {error}") from error


def _hint(name: Any) -> str:
    """Say what to write in place of an argument that does not exist."""
    if name == "relay":
        return "give relay= to send_emails, for all mails."
    if name == "artifact":
        return "use send_an_email for a mail with an artifact."
    near = nearest(str(name), _ARGUMENTS)
    return f"did you mean {near!r}?" if near else f"use {', '.join(_ARGUMENTS)}."
