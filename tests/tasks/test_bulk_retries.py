"""Many mails, of which some fail for now: who is tried again, and what is told."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
import pytest
from prefect.events.worker import EventsWorker

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.delivery.retry_state import RetryStates
from prefect_smtp_relay.exceptions import (
    PermanentFailure,
    TransientFailure,
)
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.runtime.requests import request
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.events import told
from tests.tasks.bulk_mails import connect, mails_to
from tests.tasks.bulk_tries import LATER, NEVER, Script, send, send_in_vain, stored_ids


@pytest.fixture
def relay(mail_server: MailServer) -> SMTP:
    """The connected relay."""
    return connect(mail_server)


def test_a_retry_submits_only_what_was_not_accepted(mail_server: MailServer, relay: SMTP) -> None:
    """One of ten is refused for now, twice: it is offered three times, the others once."""
    script = Script(mail_server, [], [LATER, LATER])
    receipts = send(mails_to(10), relay)
    ids = [receipt.message_id for receipt in receipts]
    assert [script.offered[mail_id] for mail_id in ids] == [1, 3, *[1] * 8]
    assert len(script.offered) == 10
    assert sorted(m.message["Message-ID"] for m in mail_server.mails) == sorted(ids)
    assert [r.accepted[0] for r in receipts] == [f"user{n}@example.org" for n in range(10)]


def test_beyond_any_limit_of_memory_nobody_gets_a_mail_twice(
    mail_server: MailServer, relay: SMTP
) -> None:
    """A batch larger than what is remembered of other runs is remembered whole."""
    process_memory.put(RetryStates, RetryStates(max_runs=3))
    script = Script(mail_server, [LATER])
    send(mails_to(10), relay)
    assert sorted(script.offered.values()) == [*[1] * 9, 2]


def test_what_failed_for_good_is_not_tried_again(
    mail_server: MailServer, relay: SMTP, events_worker: EventsWorker
) -> None:
    """While one mail is tried again, another that got a 554 is neither offered nor told again."""
    script = Script(mail_server, [], [NEVER], [LATER])
    error = send_in_vain(mails_to(4), relay)
    assert sorted(script.offered.values()) == [1, 1, 1, 2]
    assert list(error.receipts) == [0, 2, 3]
    assert isinstance(error.errors[1], PermanentFailure)
    assert error.errors[1].kept
    assert not error.transient
    kinds = Counter(event.event.rpartition(".")[2] for event in told(events_worker))
    assert kinds == {"accepted": 3, "failed": 1}


def test_after_the_last_try_the_failed_ones_are_kept_and_told_once(
    mail_server: MailServer, relay: SMTP, events_worker: EventsWorker
) -> None:
    """Two of five fail on every try: one event and one file each; the others have one each too."""
    script = Script(mail_server, [], [LATER] * 3, [], [LATER] * 3)
    error = send_in_vain(mails_to(5), relay)
    assert sorted(script.offered.values()) == [1, 1, 1, 3, 3]
    assert (list(error.receipts), list(error.errors)) == ([0, 2, 4], [1, 3])
    assert error.transient
    assert all(
        isinstance(e, TransientFailure) and e.relay == "smtp/main" for e in error.errors.values()
    )
    assert sorted(stored_ids()) == sorted(e.message_id for e in error.errors.values())
    events = [(e.event.rpartition(".")[2], e.payload["message_id"]) for e in told(events_worker)]
    assert sorted(events) == sorted(
        [("accepted", receipt.message_id) for receipt in error.receipts.values()]
        + [("failed", failure.message_id) for failure in error.errors.values()]
    )


def test_deferred_recipients_of_one_mail_are_tried_again_alone(
    mail_server: MailServer, relay: SMTP, events_worker: EventsWorker
) -> None:
    """Of three mails, only the deferred recipients of one go on the second try."""
    mail_server.refused |= {"ben@example.org": LATER, "eve@example.org": LATER}
    mails = mails_to(3)
    mails[1] |= {"to": "ann@example.org, ben@example.org", "bcc": "eve@example.org"}
    seen: list[str] = []

    def reply(mail_id: str) -> None:
        seen.append(mail_id)
        if len(seen) == 3:
            mail_server.refused.clear()

    mail_server.data_reply = reply
    receipts = send(mails, relay)
    assert [mail.forward_paths for mail in mail_server.mails] == [
        ("user0@example.org",),
        ("ann@example.org",),
        ("user2@example.org",),
        ("ben@example.org", "eve@example.org"),
    ]
    assert seen == [receipt.message_id for receipt in [*receipts, receipts[1]]]
    assert receipts[1].accepted == ("ann@example.org", "ben@example.org")
    assert (receipts[1].bcc_accepted, receipts[1].refused) == (1, {})
    assert [event.payload["accepted"] for event in told(events_worker)] == [1, 1, 3]


@pytest.mark.usefixtures("relay")
def test_an_outage_of_the_api_is_tried_again(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is submitted while nobody knows the relay; the next try asks again."""
    asked: list[str] = []

    def fail_once(method: Any, path: Any, **details: Any) -> httpx.Response:
        asked.append(path)
        if len(asked) == 1:
            raise httpx.ConnectError("nobody listens")
        return request(method, path, **details)

    monkeypatch.setattr(catalog, "request", fail_once)  # the one request that fails
    assert {r.relay for r in send(mails_to(3))} == {"smtp/main"}
    assert (len(asked), mail_server.offered) == (2, 3)
