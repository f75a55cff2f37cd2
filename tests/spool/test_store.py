"""The contract of every store: five operations, each of them whole or not at all."""

from __future__ import annotations

import itertools
import multiprocessing
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prefect_smtp_relay.spool import Spool, open_spool
from tests.object_storage import BUCKET, Bucket


def test_what_is_created_can_be_read(spool: Spool) -> None:
    """Any bytes come back as they were given."""
    data = bytes(range(256)) * 300
    assert spool.create("keys/a", data)
    assert spool.read("keys/a") == data


def test_nothing_is_created_twice(spool: Spool) -> None:
    """The second one is told so, and changes nothing."""
    assert spool.create("keys/a", b"first")
    assert not spool.create("keys/a", b"second")
    assert spool.read("keys/a") == b"first"


def test_what_is_replaced_is_the_new_one(spool: Spool) -> None:
    """Whether there was one or not."""
    spool.replace("keys/a", b"first")
    spool.replace("keys/a", b"second", durable=True)
    assert spool.read("keys/a") == b"second"
    assert not spool.create("keys/a", b"third")


def test_what_is_deleted_is_gone(spool: Spool) -> None:
    """It can be created again; deleting what is not there is done already."""
    spool.create("keys/a", b"first")
    spool.delete("keys/a")
    spool.delete("keys/a")
    assert spool.read("keys/a") is None
    assert spool.create("keys/a", b"second", durable=True)


def test_a_new_store_is_empty(spool: Spool) -> None:
    """Nothing is there to be read, listed or deleted."""
    assert spool.read("keys/a") is None
    assert spool.list("keys") == []
    spool.delete("keys/a")


def test_a_folder_lists_its_own(spool: Spool) -> None:
    """Each thing with its key and its time, and nothing of other folders."""
    before = datetime.now(UTC) - timedelta(seconds=2)
    for key in ("outbox/b.eml", "outbox/a.json", "keys/c", "outboxes"):
        spool.create(key, b"x")
    entries = spool.list("outbox")
    assert sorted(entry.key for entry in entries) == ["outbox/a.json", "outbox/b.eml"]
    assert all(before < entry.modified < datetime.now(UTC) for entry in entries)
    assert all(entry.size > 0 for entry in entries)


def test_folders_may_have_folders(spool: Spool) -> None:
    """A listing has what is in the folder itself."""
    assert spool.create("keys/ab/c", b"x")
    assert spool.create("keys/d", b"x")
    assert [entry.key for entry in spool.list("keys")] == ["keys/d"]
    assert [entry.key for entry in spool.list("keys/ab")] == ["keys/ab/c"]
    assert spool.read("keys/ab/c") == b"x"


def test_a_listing_is_of_now(spool: Spool) -> None:
    """What another process has done is seen at once."""
    spool.create("keys/a", b"x")
    assert len(spool.list("keys")) == 1
    spool.create("keys/b", b"x")
    spool.delete("keys/a")
    assert [entry.key for entry in spool.list("keys")] == ["keys/b"]


def test_of_many_threads_one_creates(spool: Spool) -> None:
    """Whoever is told that it created has its bytes there."""
    with ThreadPoolExecutor(16) as pool:
        for number in range(10):
            texts = [secrets.token_bytes(8) for _ in range(16)]
            key = f"keys/{number}"
            won = list(pool.map(lambda text, key=key: spool.create(key, text), texts))
            assert won.count(True) == 1
            assert spool.read(key) == texts[won.index(True)]


def _create_all(place: str, bucket: Bucket | None, barrier: object, results: object) -> None:
    spool = (
        open_spool(place, bucket.keys, bucket.options) if bucket is not None else open_spool(place)
    )
    name = secrets.token_bytes(8)
    barrier.wait()  # type: ignore[attr-defined]  # proxies of a manager have no types
    won = [number for number in range(40) if spool.create(f"keys/{number}", name)]
    results.append(won)  # type: ignore[attr-defined]  # likewise


def _race(place: str, bucket: Bucket | None = None) -> list[list[int]]:
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        barrier, results = manager.Barrier(3), manager.list()
        arguments = (place, bucket, barrier, results)
        processes = [context.Process(target=_create_all, args=arguments) for _ in range(3)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
        return list(results)


def test_of_many_processes_one_creates_in_a_directory(tmp_path: Path) -> None:
    """40 keys, 3 processes: each key has one who created it."""
    won = _race(str(tmp_path / "spool"))
    assert len(won) == 3
    assert sorted(itertools.chain(*won)) == list(range(40))


def test_of_many_processes_one_creates_in_a_bucket(bucket: Bucket) -> None:
    """Likewise over S3, where the server decides."""
    won = _race(f"s3://{BUCKET}/{secrets.token_hex(4)}", bucket)
    assert len(won) == 3
    assert sorted(itertools.chain(*won)) == list(range(40))
