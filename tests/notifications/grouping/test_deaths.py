"""Whoever dies in between loses no failure: it is in a summary, and in one only."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prefect.client.schemas.objects import FlowRun

from prefect_smtp_relay.exceptions import RecipientNotAllowed
from prefect_smtp_relay.flows.send_grouped import send_grouped
from prefect_smtp_relay.notifications.grouping import claims, variables
from prefect_smtp_relay.notifications.grouping.group import Group, open_name
from prefect_smtp_relay.notifications.grouping.kind import PREFIX
from prefect_smtp_relay.notifications.grouping.sending import send_waiting
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.notifications.grouping.failures import KIND, fail, in_minutes, open_and_tell

_SEND = """
from datetime import UTC, datetime, timedelta
from prefect_smtp_relay.notifications.grouping.sending import send_waiting

send_waiting(now=datetime.now(UTC) + timedelta(minutes=16))
"""

pytestmark = pytest.mark.usefixtures("deployed")


def test_one_of_many_at_once_is_the_first(deployed: Callable[[], list[FlowRun]]) -> None:
    """Of many that fail at the same moment one is mailed, the others are counted, one run sends."""
    with ThreadPoolExecutor(8) as threads:
        firsts = list(threads.map(fail, map(str, range(12))))
    assert sum(first is not None for first in firsts) == 1
    assert len(Group.read(KIND.key).runs) == 12  # the first one, too, until it is mailed
    assert len(deployed()) <= 2


def test_a_first_that_died_before_its_mail_is_told_a_minute_later(connected: MailServer) -> None:
    """Its Variable was there before: the next to send finds it, and all that came after it."""
    assert fail("killed") is not None
    fail("b")
    assert send_waiting(now=in_minutes(0.5)) == []
    assert [sent.count for sent in send_waiting(now=in_minutes(2))] == [2]
    assert "import failed 2 times" in connected.mails[0].octets.decode()


def test_one_that_died_before_it_opened_the_group_is_told(connected: MailServer) -> None:
    """What is counted, and belongs to no open group, is told when nobody works on it any more."""
    open_and_tell()
    fail("b")
    opened = variables.read(open_name(KIND.key))
    assert opened is not None
    variables.delete(opened)
    assert send_waiting(now=in_minutes(0.5)) == []
    assert [sent.count for sent in send_waiting(now=in_minutes(2))] == [1]
    assert len(connected.mails) == 1
    assert list(variables.read_all(PREFIX)) == []


def test_what_a_sender_claimed_and_did_not_send_is_sent_by_the_next(connected: MailServer) -> None:
    """The next one waits for the lease, and tells what the dead one would have told."""
    open_and_tell()
    fail("b")
    assert claims.take(Group.read(KIND.key), datetime.now(UTC)) is not None
    fail("late")
    assert send_waiting(now=in_minutes(2), closing=True) == []
    assert [sent.count for sent in send_waiting(now=in_minutes(16))] == [1]
    assert [sent.count for sent in send_waiting(now=in_minutes(32))] == [1]
    assert len(connected.mails) == 2


def test_what_a_sender_mailed_and_did_not_remove_is_not_told_again(connected: MailServer) -> None:
    """The claim says that it was mailed: who takes over only removes what was told."""
    open_and_tell()
    fail("b")
    claim = claims.take(Group.read(KIND.key), datetime.now(UTC))
    assert claim is not None
    claim.note_mailed()
    fail("late")
    assert send_waiting(now=in_minutes(16)) == []
    assert connected.mails == []
    assert [sent.count for sent in send_waiting(now=in_minutes(32))] == [1]


@pytest.mark.usefixtures("connected")
def test_a_summary_has_one_message_id_whoever_sends_it() -> None:
    """Where the sender died between the relay's answer and its note, the same mail goes again."""
    from prefect_smtp_relay.notifications.grouping import sending

    open_and_tell()
    fail("b")
    group = Group.read(KIND.key)
    receipts = [sending._send(group, group.runs).receipt for _ in range(2)]
    assert receipts[0] is not None
    assert receipts[1] is not None
    assert receipts[0].message_id == receipts[1].message_id


def test_two_senders_send_one_summary(connected: MailServer) -> None:
    """Claims are exclusive."""
    open_and_tell()
    for name in "bcdef":
        fail(name)
    with ThreadPoolExecutor(4) as threads:
        sent = list(threads.map(lambda _: send_waiting(now=in_minutes(16)), range(4)))
    assert [each.count for some in sent for each in some] == [5]
    assert len(connected.mails) == 1


def test_a_summary_that_nobody_takes_stays_counted(
    connected: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is refused before any relay is asked is told once that is fixed."""
    open_and_tell()
    fail("b")
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_ALLOWED_RECIPIENTS", "example.net")
    opened = variables.read(open_name(KIND.key))
    assert opened is not None
    variables.update(opened, until=in_minutes(0).isoformat())
    with pytest.raises(RecipientNotAllowed, match="allowed_recipients"):
        send_grouped()
    (refused,) = send_waiting(now=in_minutes(16))
    assert "allowed_recipients" in str(refused.error)
    assert not refused.is_handled
    monkeypatch.delenv("PREFECT_INTEGRATIONS_SMTP_RELAY_ALLOWED_RECIPIENTS")
    assert [sent.is_handled for sent in send_waiting(now=in_minutes(48))] == [True]
    assert len(connected.mails) == 1


def test_a_sender_killed_at_the_relay_s_answer_is_followed_by_the_same_mail(
    connected: MailServer, outbox_path: Path
) -> None:
    """Killed with -9 before it could note anything: the next one repeats the mail as it was."""
    open_and_tell()
    fail("b")
    process = subprocess.Popen([sys.executable, "-c", _SEND])  # noqa: S603  # our own interpreter
    connected.data_reply = lambda _: os.kill(process.pid, signal.SIGKILL)
    assert process.wait(120) == -signal.SIGKILL
    connected.data_reply = None
    for lease in (outbox_path.parent / "leases").iterdir():
        lease.unlink()  # as when it has run out
    assert [sent.count for sent in send_waiting(now=in_minutes(20))] == [1]
    assert len({mail.message["Message-ID"] for mail in connected.mails}) == 1
    assert send_waiting(now=in_minutes(40)) == []
    assert list(variables.read_all(PREFIX)) == []
