"""Object storage that fails: each operation is done or not, and every error is one of ours."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest

from prefect_smtp_relay.exceptions import EmailError, RelayConfigurationError, TransientFailure
from prefect_smtp_relay.spool import Spool, open_spool
from tests.object_storage import BUCKET, Bucket

from .failing_storage import FailingStorage, Fault, failing_storage

OPERATIONS: dict[str, Callable[[Spool], object]] = {
    "create": lambda spool: spool.create("keys/new", b"new"),
    "read": lambda spool: spool.read("keys/old"),
    "replace": lambda spool: spool.replace("keys/old", b"new"),
    "delete": lambda spool: spool.delete("keys/old"),
    "list": lambda spool: spool.list("keys"),
}
CUT: list[Fault] = ["before", "after", "middle"]


@pytest.fixture(scope="module")
def storage(bucket: Bucket) -> Iterator[FailingStorage]:
    """A proxy before the bucket."""
    with failing_storage(bucket.endpoint) as storage:
        yield storage


@pytest.fixture
def spool(storage: FailingStorage, bucket: Bucket) -> Iterator[Spool]:
    """A spool whose requests go through the proxy, each without a retry of the library's own."""
    once = {"config_kwargs": {"retries": {"total_max_attempts": 1}}}
    options = {**bucket.options, "endpoint_url": storage.endpoint, **once}
    spool = open_spool(f"s3://{BUCKET}/{secrets.token_hex(4)}", bucket.keys, options)
    spool.create("keys/old", b"old")
    yield spool
    storage.count = 0


@pytest.mark.parametrize("fault", CUT)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_one_lost_request_is_repeated(
    storage: FailingStorage, spool: Spool, operation: str, fault: Fault
) -> None:
    """Nobody notices; who created is told so, although the store has it already."""
    storage.fail(fault, count=1)
    result = OPERATIONS[operation](spool)
    assert storage.count == 0
    assert operation != "create" or result is True
    assert operation != "read" or result == b"old"


@pytest.mark.parametrize("fault", [*CUT, "busy"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_store_that_does_not_answer_is_a_transient_failure(
    storage: FailingStorage,
    spool: Spool,
    operation: str,
    fault: Fault,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was there before is there, or what was to be there, and nothing in between."""
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 2)
    storage.fail(fault)
    with pytest.raises(TransientFailure, match="s3://mail/") as caught:
        OPERATIONS[operation](spool)
    storage.count = 0
    assert caught.value.stage == "store"
    _check_secrets(caught.value)
    assert spool.read("keys/old") in {b"old", b"new", None}
    assert spool.read("keys/new") in {b"new", None}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_missing_permissions_need_somebody(
    storage: FailingStorage, spool: Spool, operation: str
) -> None:
    """Trying again does not help; the text says what to check."""
    storage.fail("forbidden")
    with pytest.raises(RelayConfigurationError, match=r"^spool: cannot use s3://mail/") as caught:
        OPERATIONS[operation](spool)
    assert "Check the bucket's name, its permissions, and the credentials" in str(caught.value)
    _check_secrets(caught.value)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_bucket_that_does_not_exist_is_a_wrong_setting(bucket: Bucket, operation: str) -> None:
    """It is not an empty one."""
    spool = open_spool("s3://no-such-bucket/mail", bucket.keys, bucket.options)
    with pytest.raises(RelayConfigurationError, match=r"bucket does not exist"):
        OPERATIONS[operation](spool)


@pytest.mark.parametrize(
    "options",
    [{"secrt": "canary-secret"}, {"anon": False, "profile": "no-such-profile"}],
    ids=["misspelt", "profile"],
)
def test_wrong_options_are_a_wrong_setting(bucket: Bucket, options: dict[str, object]) -> None:
    """Whatever the library says to them."""
    spool = open_spool("s3://mail/x", bucket.keys, {**bucket.options, **options})
    with pytest.raises(RelayConfigurationError) as caught:
        spool.read("keys/old")
    _check_secrets(caught.value)


def test_a_store_where_nobody_listens_is_a_transient_failure(bucket: Bucket) -> None:
    """It may be back in a moment."""
    options = {**bucket.options, "endpoint_url": "http://127.0.0.1:9"}
    with pytest.raises(TransientFailure) as caught:
        open_spool("s3://mail/x", bucket.keys, options).read("keys/old")
    _check_secrets(caught.value)


def test_a_package_that_is_not_installed_is_named(bucket: Bucket) -> None:
    """With the command that installs it."""
    with pytest.raises(RelayConfigurationError) as caught:
        open_spool("gs://mail/x", bucket.keys).read("keys/old")
    assert "pip install 'prefect-smtp-relay[gcs]'" in str(caught.value)


def _check_secrets(error: EmailError) -> None:
    assert "canary" not in f"{error} {error!r}"
