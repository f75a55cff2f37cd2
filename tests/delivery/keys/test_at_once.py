"""One mail for one key: from threads and processes at once, and after a crash."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

from prefect_smtp_relay import Receipt, send_an_email, send_emails
from prefect_smtp_relay.exceptions import OutcomeUnknown, PermanentFailure
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.delivery.keys.keyed_flows import (
    KEY,
    LATER,
    MAIL,
    NEVER,
    at_once,
    end_leases,
    keyed_mails,
    receipts,
    records,
    tell,
    tell_all,
)
from tests.object_storage import Bucket
from tests.rooms import ROOT
from tests.tasks.bulk_mails import mails_to

SCRIPT = """
import os, signal, sys
from prefect import flow
from prefect_smtp_relay import SMTP, send_an_email, send_emails
from tests.delivery.keys.keyed_flows import keyed_mails

@flow(log_prints=False)
def notify(port, ending):
    relay = SMTP(address="127.0.0.1", port=port, ssl=False, from_address="ops@example.org")
    if ending == "batch":
        return send_emails(keyed_mails(100), relay=relay, connections=2)
    receipt = send_an_email("ann@example.org", "s", "b", relay=relay, idempotency_key="{key}")
    if ending == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    print(receipt.model_dump_json())

notify(int(sys.argv[1]), sys.argv[2])
"""


def start(tmp_path: Path, port: int, ending: str = "end", **settings: str) -> subprocess.Popen[str]:
    """Run a flow that sends in a process of its own, as on another host."""
    home = Path(tempfile.mkdtemp(dir=tmp_path))
    script = home / "script.py"
    script.write_text(SCRIPT.replace("{key}", KEY), encoding="utf-8")
    return subprocess.Popen(  # noqa: S603  # our own interpreter and script
        [sys.executable, str(script), str(port), ending],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={
            **os.environ,
            **settings,
            "PREFECT_HOME": str(home),
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


@pytest.fixture(params=["directory", "s3"])
def shared(request: pytest.FixtureRequest, spool: Path, bucket: Bucket) -> dict[str, str]:
    """The settings of hosts that share a spool."""
    if request.param == "directory":
        return {"PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL": str(spool)}
    return bucket.settings(secrets.token_hex(4))


def test_two_hosts_at_once_send_one_mail(
    mail_server: MailServer, shared: dict[str, str], tmp_path: Path
) -> None:
    """With two homes and one spool, both flows end well, with one receipt."""
    both = [start(tmp_path, mail_server.port, **shared) for _ in range(2)]
    shown = [process.communicate(timeout=180)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert json.loads(shown[0]) == json.loads(shown[1])
    assert mail_server.offered == 1


def test_a_process_that_is_killed_after_the_mail_has_sent_it(
    mail_server: MailServer, spool: Path, tmp_path: Path
) -> None:
    """The next call sends nothing, and returns the receipt of the process that is gone."""
    killed = start(tmp_path, mail_server.port, "crash")
    killed.communicate(timeout=180)
    assert killed.returncode == -signal.SIGKILL
    assert len(receipts(spool)) == mail_server.offered == 1
    assert tell().message_id == mail_server.mails[0].message["Message-ID"]
    assert mail_server.offered == 1


@pytest.fixture
def killed(mail_server: MailServer, spool: Path, tmp_path: Path) -> list[str]:
    """The Message-IDs that arrive; the process of the first one was killed before the answer."""
    running: list[subprocess.Popen[str]] = []
    seen: list[str] = []

    def kill_first(message_id: str) -> str | None:
        seen.append(message_id)
        if len(seen) > 1:
            return None
        running[0].kill()
        return LATER

    mail_server.data_reply = kill_first
    running.append(start(tmp_path, mail_server.port))
    running[0].communicate(timeout=180)
    assert records(spool)
    assert not receipts(spool)
    end_leases(spool)
    return seen


def test_a_mail_whose_process_was_killed_is_submitted_again(
    killed: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """It goes under the same Message-ID, a WARNING says why, and then the key has its receipt."""
    receipt = tell()
    assert killed == [receipt.message_id] * 2
    assert "It is not known what became of the mail of this idempotency_key" in caplog.text
    assert tell() == receipt
    assert len(killed) == 2


def test_a_mail_whose_process_was_killed_is_kept_where_the_setting_says_so(
    killed: list[str], spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the outbox, as one that may have been accepted, and nothing is submitted."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_UNKNOWN_OUTCOME", "keep")
    with pytest.raises(OutcomeUnknown, match="it may have been accepted") as caught:
        tell(retries=1)
    assert caught.value.kept
    assert caught.value.message_id == killed[0]
    assert len(killed) == 1
    assert not receipts(spool)


def test_a_batch_whose_process_was_killed_loses_nothing(
    mail_server: MailServer,
    shared: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Run again, it sends what is missing; at most two mails a connection come a second time."""
    running: list[subprocess.Popen[str]] = []

    def kill_at_the_fortieth(_: str) -> None:
        if len(mail_server.mails) == 40:
            running[0].kill()

    mail_server.data_reply = kill_at_the_fortieth
    running.append(start(tmp_path, mail_server.port, "batch", **shared))
    running[0].communicate(timeout=180)
    assert running[0].returncode == -signal.SIGKILL
    for name, value in shared.items():
        monkeypatch.setenv(name, value)
    spool = current_settings().open_spool()
    for lease in spool.list("leases"):
        spool.delete(lease.key)
    found = tell_all(keyed_mails(100), connections=2)
    arrived = Counter(str(mail.message["Message-ID"]) for mail in mail_server.mails)
    assert set(arrived) == {receipt.message_id for receipt in found}
    assert len(arrived) == 100
    assert arrived.total() - len(arrived) <= 4
