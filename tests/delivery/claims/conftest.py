"""The stores that claims are made in."""

from tests.spool.conftest import new_bucket_spool, spool

__all__ = ["new_bucket_spool", "spool"]
