"""One mail for one key: over flow runs, flow retries, crashes, processes, threads and batches."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.worker import EventsWorker
from prefect.filesystems import RemoteFileSystem
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_HOME,
    PREFECT_LOCAL_STORAGE_PATH,
    temporary_settings,
)

from prefect_smtp_relay import SMTP, Receipt, asend_an_email, send_an_email, send_emails
from prefect_smtp_relay.exceptions import (
    EmailError,
    MailsNotAccepted,
    PermanentFailure,
    ReceiptDamaged,
    ReceiptLookupFailed,
    TransientFailure,
)
from prefect_smtp_relay.testing.mail_server import MailServer

from .test_bulk import connect, mails_to
from .test_events import told

KEY = "INC-42/declared"
MAIL: dict[str, Any] = {"to": "ann@example.org", "subject": "s", "body": "b"}
NEVER = "554 5.6.0 no"
LATER = "451 4.3.0 later"


@pytest.fixture(autouse=True)
def storage(tmp_path: Path) -> Iterator[Path]:
    """Keep results and locks of each test apart."""
    folder = tmp_path / "results"
    with temporary_settings({PREFECT_HOME: tmp_path, PREFECT_LOCAL_STORAGE_PATH: folder}):
        yield folder


@pytest.fixture(autouse=True)
def relay(mail_server: MailServer) -> SMTP:
    """The connected relay."""
    return connect(mail_server)


@flow
def tell(key: str = KEY, retries: int = 0, **changes: Any) -> Receipt:
    """Send one mail, with no pause between the tries."""
    action = send_an_email.with_options(retries=retries, retry_delay_seconds=0)
    return action(**MAIL | changes, idempotency_key=key)


@flow
def tell_all(mails: list[dict[str, Any]], retries: int = 0) -> list[Receipt]:
    """Send many mails, with no pause between the tries."""
    action = send_emails.with_options(retries=retries, retry_delay_seconds=0)
    return action(mails, connections=1)


def records(storage: Path) -> list[Path]:
    """The files that hold receipts."""
    return list(storage.glob("prefect-smtp-relay/idempotency-key-*"))


def logged(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    """What the task runs logged of their mail at this level."""
    records = [r for r in caplog.records if r.name == "prefect.task_runs" and r.levelno == level]
    return [r.getMessage() for r in records if "mail" in r.getMessage()]


def at_once(count: int, call: Callable[[], Any]) -> list[Any]:
    """Call from so many threads, all of which start together."""
    start = threading.Barrier(count)

    def wait_and_call() -> Any:
        start.wait(timeout=60)
        try:
            return call()
        except EmailError as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        running = [threads.submit(copy_context().run, wait_and_call) for _ in range(count)]
        return [job.result(timeout=120) for job in running]


def test_two_flow_runs_with_one_key_send_one_mail(
    mail_server: MailServer,
    storage: Path,
    caplog: pytest.LogCaptureFixture,
    events_worker: EventsWorker,
) -> None:
    """The second run returns the first receipt, says so in one line, and tells no event."""
    first = tell()
    caplog.clear()
    assert tell() == first
    assert mail_server.offered == len(records(storage)) == len(told(events_worker)) == 1
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
    mail_server: MailServer, storage: Path
) -> None:
    """What failed for now leaves no receipt: the next try submits the mail."""
    replies = iter([LATER])
    seen: list[str] = []

    def reply(message_id: str) -> str | None:
        seen.append(message_id)
        assert not records(storage)
        return next(replies, None)

    mail_server.data_reply = reply
    receipt = tell(retries=1)
    assert seen == [receipt.message_id] * 2


def test_after_a_failure_for_good_the_next_call_tries_again(
    mail_server: MailServer, storage: Path
) -> None:
    """A refused mail leaves no receipt, and goes under the same Message-ID later."""
    mail_server.refused["DATA"] = NEVER
    with pytest.raises(PermanentFailure) as caught:
        tell()
    assert not records(storage)
    mail_server.refused.clear()
    assert tell().message_id == caught.value.message_id


def test_the_message_id_is_the_same_where_the_storage_does_not_reach(
    mail_server: MailServer, tmp_path: Path
) -> None:
    """With another result storage the mail goes again, under the same Message-ID."""
    first = tell()
    with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: tmp_path / "elsewhere"}):
        second = tell()
    assert mail_server.offered == 2
    assert first.message_id == second.message_id


def test_deferred_recipients_are_recorded_when_nobody_is_tried_again(
    mail_server: MailServer, storage: Path
) -> None:
    """The receipt of all tries is kept, and not that of the first."""
    mail_server.refused["ben@example.org"] = LATER

    def take_ben(_: str) -> None:
        assert not records(storage)
        mail_server.refused.clear()

    mail_server.data_reply = take_ben
    receipt = tell(to="ann@example.org, ben@example.org", retries=1)
    assert receipt.accepted == ("ann@example.org", "ben@example.org")
    assert tell(to="ann@example.org, ben@example.org") == receipt
    assert mail_server.offered == 2


@pytest.mark.usefixtures("mail_server")
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


def test_the_record_names_neither_the_key_nor_bcc(mail_server: MailServer, storage: Path) -> None:
    """File names and contents hold no key, no Bcc recipient and no body."""
    tell("canary-key", bcc="canary-bcc@example.org", body="canary-body")
    files = [path for path in storage.rglob("*") if path.is_file()]
    assert records(storage)
    assert not [f for f in files if "canary" in f.name or b"canary" in f.read_bytes()]
    assert mail_server.mails[0].forward_paths[1] == "canary-bcc@example.org"


def test_a_remote_storage_is_asked_and_written(mail_server: MailServer, storage: Path) -> None:
    """The result storage of the flow counts, whichever its way of saying that nothing is there."""
    block = RemoteFileSystem(basepath="memory://results")
    block.save("remote-results", overwrite=True)
    remote = tell.with_options(result_storage=block)
    assert remote() == remote()
    assert mail_server.offered == 1
    assert not records(storage)
    tell()
    assert mail_server.offered == 2


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
        keyed = {"subject": "s", "body": "b", "idempotency_key": KEY}
        futures = send_an_email.map(["ann@example.org"] * 4, **keyed)
        single = send_an_email.submit("ann@example.org", **keyed)
        return [*futures.result(), single.result()]

    assert len({receipt.model_dump_json() for receipt in submit()}) == 1
    assert mail_server.offered == 1


def test_eight_threads_with_one_key_send_one_mail(mail_server: MailServer) -> None:
    """One goes, seven wait and get its receipt."""
    receipts = at_once(8, lambda: send_an_email.fn(**MAIL, idempotency_key=KEY))
    assert receipts == [receipts[0]] * 8
    assert isinstance(receipts[0], Receipt)
    assert mail_server.offered == 1


def test_when_the_first_of_many_fails_the_next_one_tries(mail_server: MailServer) -> None:
    """Of four threads the first is refused, the second accepted, and the others get its receipt."""
    replies = iter([NEVER])
    mail_server.data_reply = lambda _: next(replies, None)
    results = at_once(4, lambda: send_an_email.fn(**MAIL, idempotency_key=KEY))
    assert sum(isinstance(result, PermanentFailure) for result in results) == 1
    assert len({r.model_dump_json() for r in results if isinstance(r, Receipt)}) == 1
    assert mail_server.offered == 2


SCRIPT = """
import os, signal, sys
from prefect import flow
from prefect_smtp_relay import SMTP, send_an_email

@flow(log_prints=False)
def notify(port, crash):
    relay = SMTP(address="127.0.0.1", port=port, ssl=False, from_address="ops@example.org")
    receipt = send_an_email("ann@example.org", "s", "b", relay=relay, idempotency_key="{key}")
    if crash:
        os.kill(os.getpid(), signal.SIGKILL)
    print(receipt.model_dump_json())

notify(int(sys.argv[1]), sys.argv[2] == "crash")
"""


def start(tmp_path: Path, storage: Path, port: int, ending: str) -> subprocess.Popen[str]:
    """Run a flow that sends in a process of its own."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("{key}", KEY), encoding="utf-8")
    places = {"PREFECT_HOME": str(tmp_path), "PREFECT_LOCAL_STORAGE_PATH": str(storage)}
    return subprocess.Popen(
        [sys.executable, str(script), str(port), ending],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={
            **os.environ,
            **places,
            "PREFECT_API_URL": PREFECT_API_URL.value() or "",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
    )


def test_a_process_that_is_killed_behind_the_mail_has_sent_it(
    mail_server: MailServer, storage: Path, tmp_path: Path
) -> None:
    """Run again after a SIGKILL, the flow sends nothing, and no lock is left."""
    killed = start(tmp_path, storage, mail_server.port, "crash")
    killed.communicate(timeout=180)
    assert killed.returncode == -signal.SIGKILL
    assert mail_server.offered == 1
    again = start(tmp_path, storage, mail_server.port, "end")
    shown, _ = again.communicate(timeout=180)
    assert again.returncode == 0
    assert json.loads(shown)["message_id"] == mail_server.mails[0].message["Message-ID"]
    assert mail_server.offered == 1


def test_a_process_that_is_killed_in_the_middle_leaves_no_lock(
    mail_server: MailServer, storage: Path, tmp_path: Path
) -> None:
    """The mail that it submitted is submitted by the next one, under the same Message-ID."""
    running: list[subprocess.Popen[str]] = []
    seen: list[str] = []

    def kill_first(message_id: str) -> str | None:
        seen.append(message_id)
        if len(seen) > 1:
            return None
        running[0].kill()
        return LATER

    mail_server.data_reply = kill_first
    running.append(start(tmp_path, storage, mail_server.port, "end"))
    running[0].communicate(timeout=180)
    receipt = tell()
    assert seen == [receipt.message_id] * 2


def test_two_processes_at_once_send_one_mail(
    mail_server: MailServer, storage: Path, tmp_path: Path
) -> None:
    """Both end well, with one receipt."""
    both = [start(tmp_path, storage, mail_server.port, "end") for _ in range(2)]
    shown = [process.communicate(timeout=180)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert json.loads(shown[0]) == json.loads(shown[1])
    assert mail_server.offered == 1


def test_a_storage_that_cannot_be_written_stops_the_mail(
    mail_server: MailServer, storage: Path, outbox_path: Path
) -> None:
    """Before the submission it is a transient error that names the storage; the mail is kept."""
    storage.write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(ReceiptLookupFailed, match=f"cannot read and write .*{storage}") as caught:
        tell(retries=1)
    assert caught.value.transient
    assert mail_server.offered == 0
    assert len(list(outbox_path.glob("*.eml"))) == 1
    assert caught.value.kept


def test_a_storage_that_fails_behind_the_mail_does_not_fail_the_send(
    mail_server: MailServer, storage: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After the acceptance it is a WARNING, and nothing is tried again."""

    def break_storage(_: str) -> None:
        storage.rename(storage.with_name("gone"))
        storage.write_text("a file where the folder should be", encoding="utf-8")

    mail_server.data_reply = break_storage
    receipt = tell(retries=2)
    (warning,) = logged(caplog, logging.WARNING)
    assert f"{receipt.message_id} was accepted, but its receipt could not be written" in warning
    assert mail_server.offered == 1


@pytest.mark.parametrize("content", ["", '{"metadata": {"stor', "{}", "[1]"])
def test_a_damaged_record_is_an_error_that_names_it(
    mail_server: MailServer, storage: Path, outbox_path: Path, content: str
) -> None:
    """The mail was accepted once: it is neither sent again, nor kept to be sent again."""
    tell()
    (record,) = records(storage)
    record.write_text(content, encoding="utf-8")
    with pytest.raises(ReceiptDamaged, match=record.name) as caught:
        tell()
    assert not caught.value.transient
    assert mail_server.offered == 1
    assert not outbox_path.exists()


def test_mails_of_batches_share_keys_with_each_other_and_with_single_mails(
    mail_server: MailServer,
) -> None:
    """In a batch and over batches one key is one mail; the others go each time."""
    single = tell("a", to="user0@example.org", subject="Mail 0")
    mails = mails_to(4)
    mails[0] |= {"idempotency_key": "a"}
    mails[2] |= {"idempotency_key": "b"}
    first = tell_all([*mails, mails[2]])
    second = tell_all(mails)
    assert first[0] == second[0] == single
    assert first[2] == first[4] == second[2]
    assert mail_server.offered == 1 + 3 + 2


def test_more_keys_than_are_held_at_once(mail_server: MailServer, storage: Path) -> None:
    """A large batch goes in several parts, once."""
    mails = [mail | {"idempotency_key": f"k{n}"} for n, mail in enumerate(mails_to(150))]
    first = tell_all(mails)
    assert tell_all(mails) == first
    assert [receipt.accepted for receipt in first] == [(mail["to"],) for mail in mails]
    assert mail_server.offered == len(records(storage)) == 150


def test_two_batches_at_once_do_not_wait_for_each_other_for_ever(mail_server: MailServer) -> None:
    """With the same keys in the opposite order, each key is one mail."""
    mails = [mail | {"idempotency_key": f"k{n}"} for n, mail in enumerate(mails_to(30))]
    orders = iter([mails, mails[::-1]])
    one, other = at_once(2, lambda: send_emails.fn(next(orders)))
    assert sorted(r.message_id for r in one) == sorted(r.message_id for r in other)
    assert mail_server.offered == 30


def test_a_batch_tries_again_what_failed_and_leaves_the_rest(mail_server: MailServer) -> None:
    """A twin in the batch shares the error, and the retry's receipt."""
    mails = [mail | {"idempotency_key": f"k{n}"} for n, mail in enumerate(mails_to(3))]
    replies = iter(["", LATER])
    mail_server.data_reply = lambda _: next(replies, None) or None
    receipts = tell_all([*mails, mails[1]], retries=1)
    assert receipts[1] == receipts[3]
    assert mail_server.offered == 4


def test_a_batch_that_fails_tells_each_place(mail_server: MailServer) -> None:
    """Without retries, both places of a key have the error, and the next call tries again."""
    mails = [{**MAIL, "idempotency_key": KEY}] * 2
    mail_server.refused["DATA"] = LATER
    with pytest.raises(MailsNotAccepted) as caught:
        tell_all(mails)
    assert [type(error) for error in caught.value.errors.values()] == [TransientFailure] * 2
    assert mail_server.offered == 1
    mail_server.refused.clear()
    assert len({receipt.message_id for receipt in tell_all(mails)}) == 1
    assert mail_server.offered == 2


def test_a_batch_with_a_broken_storage_sends_what_has_no_key(
    mail_server: MailServer, storage: Path
) -> None:
    """Only the mails with a key fail, before they are submitted."""
    storage.write_text("a file where the folder should be", encoding="utf-8")
    mails = mails_to(3)
    mails[1] |= {"idempotency_key": KEY}
    with pytest.raises(MailsNotAccepted) as caught:
        tell_all(mails)
    assert [type(e) for e in caught.value.errors.values()] == [ReceiptLookupFailed]
    assert (list(caught.value.receipts), mail_server.offered) == ([0, 2], 2)


def test_what_was_accepted_needs_no_relay(mail_server: MailServer, outbox_path: Path) -> None:
    """In a batch for a relay that does not exist, the mail of a used key has its receipt."""
    first = tell()
    mails = [{**MAIL, "idempotency_key": KEY}, MAIL]
    with pytest.raises(MailsNotAccepted) as caught:
        send_emails.fn(mails, relay="smtp/no-such-block")
    assert caught.value.receipts == {0: first}
    assert len(list(outbox_path.glob("*.eml"))) == 1
    assert mail_server.offered == 1
