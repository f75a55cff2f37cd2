"""One mail for one key: over flow runs, retries and failures."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.worker import EventsWorker

from prefect_smtp_relay import SMTP, Receipt, asend_an_email, send_an_email
from prefect_smtp_relay.delivery.identity import seed_of_key
from prefect_smtp_relay.delivery.retry_state import RetryState, RetryStates
from prefect_smtp_relay.exceptions import MessageError, PermanentFailure
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.counted_requests import counting_requests
from tests.delivery.keys.keyed_flows import KEY, LATER, MAIL, NEVER, logged, receipts, records, tell
from tests.events import told


def test_two_flow_runs_with_one_key_send_one_mail(
    mail_server: MailServer,
    spool: Path,
    caplog: pytest.LogCaptureFixture,
    events_worker: EventsWorker,
) -> None:
    """The second run returns the first receipt, says so in one line, and tells no event."""
    first = tell()
    caplog.clear()
    assert tell() == first
    assert mail_server.offered == len(receipts(spool)) == len(told(events_worker)) == 1
    assert logged(caplog, logging.INFO) == [
        f"The mail {first.message_id} was accepted before, under the same idempotency_key:"
        " nothing was submitted."
    ]
    assert not logged(caplog, logging.WARNING)


def test_without_a_key_and_with_other_keys_every_mail_goes(mail_server: MailServer) -> None:
    """Nothing is cached that no key names, and each key names another mail."""
    receipts = [tell(key) for key in ("", "", "a", "b")]
    assert mail_server.offered == len({receipt.message_id for receipt in receipts}) == 4


def test_a_repeated_mail_leaves_no_artifact(
    client: SyncPrefectClient, mail_server: MailServer
) -> None:
    """An artifact tells of a submission, so there is one only."""
    before = len(client.request("POST", "/artifacts/filter", json={}).json())
    tell(artifact=True)
    tell(artifact=True)
    assert len(client.request("POST", "/artifacts/filter", json={}).json()) == before + 1
    assert mail_server.offered == 1


def test_a_flow_retry_does_not_send_again(mail_server: MailServer) -> None:
    """The flow fails behind the mail, and is run again with a new task run."""
    receipts = []

    @flow(retries=1, retry_delay_seconds=0)
    def fail_once() -> None:
        receipts.append(send_an_email(**MAIL, idempotency_key=KEY))
        if len(receipts) == 1:
            raise RuntimeError("the step behind the mail")

    fail_once()
    assert receipts[0] == receipts[1]
    assert mail_server.offered == 1


def test_a_task_retry_after_a_failure_goes_under_the_same_message_id(
    mail_server: MailServer, spool: Path
) -> None:
    """What failed for now leaves no receipt: the next try submits the mail."""
    replies = iter([LATER])
    seen: list[str] = []

    def reply(message_id: str) -> str | None:
        seen.append(message_id)
        assert not receipts(spool)
        return next(replies, None)

    mail_server.data_reply = reply
    receipt = tell(retries=1)
    assert seen == [receipt.message_id] * 2


def test_after_a_failure_for_good_the_next_call_tries_again(
    mail_server: MailServer, spool: Path
) -> None:
    """A refused mail leaves no receipt, and goes under the same Message-ID later."""
    mail_server.refused["DATA"] = NEVER
    with pytest.raises(PermanentFailure) as caught:
        tell()
    assert not records(spool)
    mail_server.refused.clear()
    assert tell().message_id == caught.value.message_id


def test_the_message_id_is_the_same_where_the_spool_does_not_reach(
    mail_server: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another spool the mail goes again, under the same Message-ID."""
    first = tell()
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL", str(tmp_path / "elsewhere"))
    second = tell()
    assert mail_server.offered == 2
    assert first.message_id == second.message_id


def test_deferred_recipients_are_recorded_when_nobody_is_tried_again(
    mail_server: MailServer, spool: Path
) -> None:
    """The receipt of all tries is kept, and not that of the first."""
    mail_server.refused["ben@example.org"] = LATER

    def take_ben(_: str) -> None:
        assert not receipts(spool)
        mail_server.refused.clear()

    mail_server.data_reply = take_ben
    receipt = tell(to="ann@example.org, ben@example.org", retries=1)
    assert receipt.accepted == ("ann@example.org", "ben@example.org")
    assert tell(to="ann@example.org, ben@example.org") == receipt
    assert mail_server.offered == 2


def test_a_mail_to_others_does_not_take_the_place_of_one_that_is_tried_again(
    mail_server: MailServer,
) -> None:
    """While some recipients of a key's mail wait for the next try, another mail is an error."""
    mail_server.refused["ben@example.org"] = LATER
    first = tell("another key", to="ann@example.org, ben@example.org")
    process_memory.of(RetryStates).note(seed_of_key("the key"), RetryState(first))
    with pytest.raises(MessageError, match="idempotency_key: names a mail to other recipients"):
        tell("the key", to="cat@example.org")
    mail_server.refused.clear()
    receipt = tell("the key", to="ann@example.org, ben@example.org")
    assert receipt.accepted == ("ann@example.org", "ben@example.org")
    paths = [mail.forward_paths for mail in mail_server.mails]
    assert paths == [("ann@example.org",), ("ben@example.org",)]


def test_a_stored_mail_is_not_stored_again(outbox_path: Path, relay: SMTP) -> None:
    """The outbox will submit it, so its receipt counts."""
    SMTP.delete("main")
    del relay
    first = tell()
    assert first.outcome == "stored"
    assert tell() == first
    assert len(list(outbox_path.glob("*.eml"))) == 1


def test_another_mail_under_the_key_is_not_sent_and_warned_of(
    mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The first receipt is returned, and a WARNING says that this was another mail."""
    first = tell()
    caplog.clear()
    assert tell(to="bob@example.org") == first
    (warning,) = logged(caplog, logging.WARNING)
    assert "had other recipients or another subject" in warning
    assert mail_server.offered == 1


def test_async_and_sync_share_a_key(mail_server: MailServer) -> None:
    """In an async flow and by .fn in and outside of flows, one key is one mail."""

    @flow
    async def atell() -> list[Receipt]:
        calls = [asend_an_email(**MAIL, idempotency_key=KEY) for _ in range(3)]
        return [*await asyncio.gather(*calls), send_an_email.fn(**MAIL, idempotency_key=KEY)]

    receipts = asyncio.run(atell())
    receipts += [send_an_email.fn(**MAIL, idempotency_key=KEY), tell()]
    assert receipts == [receipts[0]] * 6
    assert mail_server.offered == 1


def test_submitted_and_mapped_mails_share_a_key(mail_server: MailServer) -> None:
    """Tasks of one flow that run at once send one mail."""

    @flow
    def submit() -> list[Receipt]:
        keyed: dict[str, Any] = {"subject": "s", "body": "b", "idempotency_key": KEY}
        futures = send_an_email.map(["ann@example.org"] * 4, **keyed)
        single = send_an_email.submit("ann@example.org", **keyed)
        return [*futures.result(), single.result()]

    assert len({receipt.model_dump_json() for receipt in submit()}) == 1
    assert mail_server.offered == 1


def test_a_repeated_mail_asks_nobody_for_a_relay(mail_server: MailServer) -> None:
    """What became of it is in the spool."""
    first = send_an_email.fn(**MAIL, idempotency_key=KEY)
    with counting_requests() as seen:
        assert send_an_email.fn(**MAIL, idempotency_key=KEY) == first
    assert seen == []
    assert mail_server.offered == 1
