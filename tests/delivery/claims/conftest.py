"""The stores that claims are made in."""

from tests.spool.conftest import bucket, new_bucket_spool, spool

__all__ = ["bucket", "new_bucket_spool", "spool"]
