"""One mail for one key: from threads and processes at once, and after a crash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from prefect.settings import PREFECT_API_URL

from prefect_smtp_relay import Receipt, send_an_email, send_emails
from prefect_smtp_relay.exceptions import PermanentFailure
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.delivery.keys.keyed_flows import KEY, LATER, MAIL, NEVER, at_once, tell
from tests.readme import ROOT
from tests.tasks.bulk_mails import mails_to

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
    return subprocess.Popen(  # noqa: S603  # our own interpreter and script
        [sys.executable, str(script), str(port), ending],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={
            **os.environ,
            **places,
            "PREFECT_API_URL": PREFECT_API_URL.value() or "",
            "PYTHONPATH": str(ROOT),
        },
    )


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


def test_two_batches_at_once_do_not_wait_for_each_other_for_ever(mail_server: MailServer) -> None:
    """With the same keys in the opposite order, each key is one mail."""
    mails = [mail | {"idempotency_key": f"k{n}"} for n, mail in enumerate(mails_to(30))]
    orders = iter([mails, mails[::-1]])
    one, other = at_once(2, lambda: send_emails.fn(next(orders)))
    assert sorted(r.message_id for r in one) == sorted(r.message_id for r in other)
    assert mail_server.offered == 30


def test_two_processes_at_once_send_one_mail(
    mail_server: MailServer, storage: Path, tmp_path: Path
) -> None:
    """Both end well, with one receipt."""
    both = [start(tmp_path, storage, mail_server.port, "end") for _ in range(2)]
    shown = [process.communicate(timeout=180)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert json.loads(shown[0]) == json.loads(shown[1])
    assert mail_server.offered == 1


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
