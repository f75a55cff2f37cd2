"""The stores that keep the contract: a directory, and a bucket."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from prefect_smtp_relay.spool import Spool, open_spool
from tests.object_storage import BUCKET, Bucket

OpenSpool = Callable[[], Spool]


@pytest.fixture
def new_bucket_spool(bucket: Bucket) -> OpenSpool:
    """Open the test's own folder of the bucket, again and again."""
    url = f"s3://{BUCKET}/{secrets.token_hex(4)}"
    return lambda: open_spool(url, bucket.keys, bucket.options)


@pytest.fixture(params=["directory", "s3"])
def spool(request: pytest.FixtureRequest, tmp_path: Path) -> Spool:
    """One of the stores that keep the contract."""
    if request.param == "directory":
        return open_spool(str(tmp_path / "spool"))
    opened: Spool = request.getfixturevalue("new_bucket_spool")()
    return opened
