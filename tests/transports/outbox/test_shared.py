"""An outbox in a bucket, which many hosts share."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import PermanentFailure
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.spool import open_spool
from prefect_smtp_relay.transports.outbox import Outbox
from tests.object_storage import BUCKET, Bucket

FLUSH = """
import sys
from pydantic import SecretStr
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.spool import open_spool
from prefect_smtp_relay.transports.outbox import Outbox

def submit(message, envelope):
    print(message.message_id, flush=True)
    return Receipt.for_message(message, transport="t", outcome="accepted", accepted=(), size=1)

url, key, endpoint = sys.argv[1:]
options = {"endpoint_url": endpoint, "key": "k", "secret": "s"}
report = Outbox(open_spool(url, [SecretStr(key)], options)).flush(submit)
assert not report.failed, report.failed
"""


@pytest.fixture
def url() -> str:
    """A folder of the test's own."""
    return f"s3://{BUCKET}/{secrets.token_hex(4)}"


@pytest.fixture
def shared(bucket: Bucket, url: str) -> Outbox:
    """The outbox there."""
    return Outbox(open_spool(url, bucket.keys, bucket.options))


@pytest.fixture
def keep(shared: Outbox, new_message: Callable[..., Message]) -> Callable[[str], Message]:
    """Store a message."""

    def keep_one(seed: str) -> Message:
        message = new_message(seed, bcc="eve@example.net", attachments=[("a.bin", b"\0" * 5000)])
        shared.keep(message, Envelope.of(message), "no relay")
        return message

    return keep_one


def test_what_waits_in_a_bucket_is_listed_and_flushed(
    shared: Outbox, url: str, keep: Callable[[str], Message], relay: Any
) -> None:
    """As in a directory: the failed ones stay with their reason, the accepted ones go."""
    message = keep("one")
    (mail,) = shared.entries()
    assert mail.place == f"{url}/outbox/{mail.id}.eml"
    assert shared.read(mail) == (message, Envelope.of(message))
    relay.answer = PermanentFailure("smtp://mx", "no")
    assert len(shared.flush(relay).failed) == 1
    assert shared.entries()[0].reason.endswith("no")
    relay.answer = {}
    assert len(shared.flush(relay).accepted) == 1
    assert shared.entries() == []


def test_a_host_learns_of_the_copies_of_others(
    shared: Outbox, bucket: Bucket, url: str, new_message: Callable[..., Message]
) -> None:
    """The same mail stored from another host is told of; discarded anywhere, it is gone."""
    other = Outbox(open_spool(url, bucket.keys, bucket.options))
    found = []
    for host, seed in ((shared, "one"), (other, "two"), (shared, "three")):
        message = new_message(seed, subject="Import")
        entry = host.keep(message, Envelope.of(message), "no relay")
        found.append((entry, host.copies(entry, message, Envelope.of(message))))
    (first, none), (second, one), (_, two) = found
    assert (none, one, two) == ([], [first], [first, second])
    assert other.discard([first, second]).remaining == 1
    assert len(shared.entries()) == 1


def test_nothing_in_the_bucket_is_in_clear(
    shared: Outbox, bucket: Bucket, url: str, keep: Callable[[str], Message], relay: Any
) -> None:
    """A spool at a URL is always encrypted; what is in clear there is not submitted."""
    keep("canary")
    raw = open_spool(url, bucket.keys, bucket.options)._store
    entries = raw.list("outbox")
    assert len(entries) == 2
    for entry in entries:
        data = raw.read(entry.key)
        assert data is not None
        assert b"canary" not in data
    raw.replace(entries[0].key, b"in clear")
    assert "is not encrypted" in shared.flush(relay).failed[0][1]


def test_two_hosts_submit_every_message_once(
    bucket: Bucket, url: str, keep: Callable[[str], Message], shared: Outbox
) -> None:
    """Both flush at the same time, and share the work by claims in the bucket."""
    stored = [keep(str(number)).message_id for number in range(6)]
    (key,) = bucket.keys
    words = [url, key.get_secret_value(), bucket.endpoint]
    hosts = [
        subprocess.Popen(  # noqa: S603 - our own interpreter runs the text above
            [sys.executable, "-c", FLUSH, *words], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    outputs = [host.communicate(timeout=120)[0].split() for host in hosts]
    assert [host.returncode for host in hosts] == [0, 0]
    assert Counter(outputs[0] + outputs[1]) == Counter(stored)
    assert shared.entries() == []
