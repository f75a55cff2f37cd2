"""Flows that mail, each in its way, and flows whose tasks do nothing: what Prefect costs alone."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from prefect import flow, task

from benchmarks.mails import SENDER, Mail, distinct_mails
from benchmarks.proxy import BIND
from prefect_smtp_relay import SMTP, asend_an_email, send_an_email, send_emails

_LINES = 60
HAS_PREFECT_EMAIL = importlib.util.find_spec("prefect_email") is not None

if HAS_PREFECT_EMAIL:
    from prefect_email import EmailServerCredentials, email_send_message


@dataclass(frozen=True)
class FlowContestant:
    """One way to mail from a flow.

    Args:
        name: for the table.
        flow: takes how many mails.
        mails: of a run.
    """

    name: str
    flow: Callable[[int], Any]
    mails: int = 100


@task
def _do_nothing(mail: Mail) -> None:
    del mail


@task
async def _ado_nothing(mail: Mail) -> None:
    del mail


@flow
def _floor_in_turn(count: int) -> None:
    for mail in _mails(count):
        _do_nothing(mail)


@flow
async def _floor_async_in_turn(count: int) -> None:
    for mail in _mails(count):
        await _ado_nothing(mail)


@flow
def _floor_mapped(count: int) -> None:
    _do_nothing.map(_mails(count)).result()


@flow
async def _prefect_email(count: int) -> None:
    server = await EmailServerCredentials.load("bench")
    for mail in _mails(count):
        await email_send_message(
            email_server_credentials=server,
            subject=mail.subject,
            msg=mail.html,
            msg_plain=mail.text,
            email_from=SENDER,
            email_to=mail.recipients[0],
        )


@flow
def _in_turn(count: int) -> None:
    for mail in _mails(count):
        send_an_email(mail.recipients, mail.subject, mail.text)


@flow
async def _async_in_turn(count: int) -> None:
    for mail in _mails(count):
        await asend_an_email(mail.recipients, mail.subject, mail.text)


@flow
def _mapped(count: int) -> None:
    mails = _mails(count)
    bodies = [mail.text for mail in mails]
    send_an_email.map(
        [mail.recipients[0] for mail in mails], [mail.subject for mail in mails], bodies
    ).result()


@flow
def _at_once(count: int) -> None:
    send_emails(
        [
            {"to": mail.recipients, "subject": mail.subject, "body": mail.text}
            for mail in _mails(count)
        ]
    )


def _mails(count: int) -> Sequence[Mail]:
    return distinct_mails(count, lines=_LINES)


FLOOR = FlowContestant("an empty task, in turn", _floor_in_turn)
FLOOR_ASYNC = FlowContestant("an empty task, async in turn", _floor_async_in_turn)
FLOOR_MAPPED = FlowContestant("an empty task, .map", _floor_mapped)
PREFECT_EMAIL = FlowContestant("prefect-email, in turn", _prefect_email)
IN_TURN = FlowContestant("send_an_email, in turn", _in_turn)
ASYNC_IN_TURN = FlowContestant("asend_an_email, in turn", _async_in_turn)
MAPPED = FlowContestant("send_an_email.map", _mapped)
HUNDRED = FlowContestant("send_emails of 100", _at_once)
THOUSAND = FlowContestant("send_emails of 1,000", _at_once, mails=1000)

_ALL = (
    FLOOR,
    FLOOR_ASYNC,
    FLOOR_MAPPED,
    PREFECT_EMAIL,
    IN_TURN,
    ASYNC_IN_TURN,
    MAPPED,
    HUNDRED,
    THOUSAND,
)


def installed() -> list[FlowContestant]:
    """Those that can be measured here."""
    return [each for each in _ALL if each != PREFECT_EMAIL or HAS_PREFECT_EMAIL]


def connect(port: int) -> None:
    """Save a mail server on this host as a block, as a team would do once."""
    relay = SMTP(
        address=BIND, port=port, ssl=False, enable_starttls_auto=False, from_address=SENDER
    )
    relay.save("bench")
    if HAS_PREFECT_EMAIL:
        server = EmailServerCredentials(
            username=None, smtp_server=BIND, smtp_type="INSECURE", smtp_port=port
        )
        server.save("bench")
